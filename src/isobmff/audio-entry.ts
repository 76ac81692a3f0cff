/**
 * Sample entries of sound, all 8 kHz mono (ISO/IEC 14496-12 §12.2.3): FLAC after "Encapsulation of FLAC in ISO Base
 * Media File Format" §3.3.1 and §3.3.2 (fLaC with dfLa), and G.711 under the codes of QuickTime, which every player
 * that knows G.711 in MP4 at all looks for. Pure, any thread.
 */
import { type AudioCodec, Codec } from '../base/tracks.ts';
import { flacStreamInfo } from '../codec/flac/stream-info.ts';
import { BoxWriter } from './box-writer.ts';
import { audioTimescale } from './recorded-segment.ts';

/** STREAMINFO is block type 0; the highest bit says that no other block follows. */
const lastBlockStreamInfo = 0x80;

/** The fLaC box of the recorder's FLAC frames; a new array. */
export function flacSampleEntry(): Uint8Array {
  const streamInfo = flacStreamInfo();
  const w = beginEntry('fLaC');
  w.beginFull('dfLa', 0, 0).u8(lastBlockStreamInfo).u24(streamInfo.length).bytes(streamInfo).finish();
  return w.finish().result();
}

/** kAudioChannelLayoutTag_Mono of QuickTime's chan box. */
const monoLayoutTag = (100 << 16) | 1;

/** The ulaw or alaw box; one sample is one byte. Without chan, readers guess the layout and say so. A new array. */
export function g711SampleEntry(codec: AudioCodec): Uint8Array {
  const w = beginEntry(codec === Codec.pcmu ? 'ulaw' : 'alaw');
  w.beginFull('chan', 0, 0).u32(monoLayoutTag).u32(0).u32(0).finish();
  return w.finish().result();
}

function beginEntry(type: string): BoxWriter {
  const w = new BoxWriter(128).begin(type);
  w.zeros(6).u16(1); // reserved, data_reference_index
  w.zeros(8).u16(1).u16(16).zeros(4); // reserved, channelcount, samplesize, pre_defined and reserved
  return w.fixed16(audioTimescale);
}
