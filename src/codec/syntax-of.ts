/** Finds the syntax of a video codec by its number; the only file that knows both. Any thread. */
import { Codec, type VideoCodec } from '../base/tracks.ts';
import { h264Syntax } from './h264/syntax.ts';
import { h265Syntax } from './h265/syntax.ts';
import type { VideoSyntax } from './video-syntax.ts';

/** The syntax of a codec: one shared object without state. */
export function syntaxOf(codec: VideoCodec): VideoSyntax {
  return codec === Codec.h264 ? h264Syntax : h265Syntax;
}
