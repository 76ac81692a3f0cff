/**
 * `GET /api/v1/device`: what the camera is, from the stream that runs (contract.md §6).
 *
 * `uptime` is that of the machine, whole seconds since its boot, from a clock that a step of the wall clock does not
 * move and a restart of the daemon does not reset. Before the first picture there is no resolution to tell, and the
 * answer is `source-not-ready` rather than an invented one.
 */
import { uptime } from 'node:os';
import { CameraError } from '../../base/errors.ts';
import { Codec, Track, type TrackInfo, type VideoTrackInfo } from '../../base/tracks.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import type { HttpServices } from '../services.ts';

/** The operation "get device information". */
export function deviceHandlers(
  services: Pick<HttpServices, 'deviceUuid' | 'tracks'>,
): Pick<Handlers, 'getDevice'> {
  return {
    getDevice() {
      const video = mainVideo(services.tracks());
      if (!video) throw new CameraError('source-not-ready', 'no parameter sets were seen yet');
      const body: AnswerOf<'getDevice'> = {
        uuid: services.deviceUuid,
        uptime: Math.floor(uptime()),
        resolution: `${video.width}x${video.height}`,
        fps: Math.round(video.framesPerSecond),
        video_codec: video.codec === Codec.h265 ? 'H.265' : 'H.264',
        audio_codec: 'G.711',
      };
      return jsonReply(body);
    },
  };
}

/** The main stream, or what there is of video when only the sub stream has come up. */
function mainVideo(tracks: readonly TrackInfo[]): VideoTrackInfo | undefined {
  const videos = tracks.filter(track => track.kind === 'video');
  return videos.find(video => video.track === Track.main) ?? videos[0];
}
