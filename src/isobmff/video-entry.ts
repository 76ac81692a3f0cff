/**
 * Sample entries of video (ISO/IEC 14496-15): avc1 with avcC (§5.3.3, §5.4.2) and hvc1 with hvcC (§8.3.3, §8.4.1),
 * from the parameter sets of the stream. Samples carry lengths of 4 bytes, and their parameter sets in band as well.
 * Pure, any thread. Left out: pasp and colr, as every decoder reads aspect ratio and colours from the sets themselves.
 */
import { CameraError } from '../base/errors.ts';
import { Codec, type VideoCodec } from '../base/tracks.ts';
import type { VideoFormat } from '../codec/access-unit.ts';
import { payloadOf } from '../codec/emulation-prevention.ts';
import { parseSequenceParameterSet as parseH264 } from '../codec/h264/sequence-parameter-set.ts';
import { nalHeaderBytes as h265NalHeaderBytes } from '../codec/h265/nal-unit.ts';
import { parseSequenceParameterSet as parseH265 } from '../codec/h265/sequence-parameter-set.ts';
import { parameterSetBytesMax } from '../codec/limits.ts';
import { syntaxOf } from '../codec/syntax-of.ts';
import type { ParameterSetKind, VideoSyntax } from '../codec/video-syntax.ts';
import { BoxWriter } from './box-writer.ts';

/** lengthSizeMinusOne of the records that the ring holds. */
const lengthSizeMinusOne = 3;

/**
 * Bytes of parameter sets that an entry carries: cameras use 100 to 300; a stream with hundreds of sets must not make
 * the head of a segment larger than what a reader fetches. Sets beyond are left to the pictures, which have them too.
 */
const entrySetBytesMax = 4 * parameterSetBytesMax;

/** Sets of one kind: avcC has 5 bits for the number of sequence parameter sets. */
const setsOfKindMax = 31;

/**
 * The whole sample entry box, a new array. `parameterSets`: NAL units, those for which the syntax has no kind are passed
 * over. `format`: of the active sequence parameter set. Throws CameraError 'stream-invalid' without an SPS and a PPS
 * (H.265: a VPS too), or when the SPS cannot be read.
 */
export function videoSampleEntry(
  codec: VideoCodec,
  parameterSets: readonly Uint8Array[],
  format: VideoFormat,
): Uint8Array {
  const syntax = syntaxOf(codec);
  const sets = sortByKind(syntax, parameterSets);
  for (const kind of syntax.parameterSetKinds)
    if (!sets.get(kind)?.length) throw new CameraError('stream-invalid', `The stream has no ${kind} yet.`);
  const active = activeSequenceSet(syntax, sets.get('sps')!, format);

  const w = new BoxWriter(1024).begin(codec === Codec.h264 ? 'avc1' : 'hvc1');
  w.zeros(6).u16(1); // reserved, data_reference_index
  w.zeros(16).u16(format.width).u16(format.height);
  w.fixed16(72).fixed16(72).zeros(4); // dots an inch, reserved
  w.u16(1).zeros(32).u16(24).u16(0xffff); // frame_count, compressorname, depth, pre_defined
  if (codec === Codec.h264) avcC(w, active, sets.get('sps')!, sets.get('pps')!);
  else hvcC(w, active, format, sets);
  return w.finish().result();
}

type SetsByKind = ReadonlyMap<ParameterSetKind, readonly Uint8Array[]>;

/** Sets by kind in their order, as many as fit; one of each kind always does. */
function sortByKind(syntax: VideoSyntax, parameterSets: readonly Uint8Array[]): SetsByKind {
  const sets = new Map<ParameterSetKind, Uint8Array[]>();
  let bytes = 0;
  for (const nalUnit of parameterSets) {
    const kind = nalUnit.length > 0 ? syntax.parameterSetKind(syntax.nalUnitType(nalUnit[0]!)) : undefined;
    if (kind === undefined || nalUnit.length > parameterSetBytesMax) continue;
    const ofKind = sets.get(kind) ?? [];
    if (ofKind.length > 0 && (bytes + nalUnit.length > entrySetBytesMax || ofKind.length === setsOfKindMax))
      continue;
    bytes += nalUnit.length;
    ofKind.push(nalUnit);
    sets.set(kind, ofKind);
  }
  return sets;
}

/** The set that says what the pictures are; the first one when none says just that. */
function activeSequenceSet(
  syntax: VideoSyntax,
  sets: readonly Uint8Array[],
  format: VideoFormat,
): Uint8Array {
  const isActive = (nalUnit: Uint8Array): boolean => {
    const { width, height, profileIdc, levelIdc } = syntax.parseFormat(nalUnit);
    return (
      width === format.width &&
      height === format.height &&
      profileIdc === format.profileIdc &&
      levelIdc === format.levelIdc
    );
  };
  return sets.length === 1 ? sets[0]! : (sets.find(isActive) ?? sets[0]!);
}

/** Profiles whose record ends before the chroma format: Baseline, Main, Extended (§5.3.3.1.2). */
const profilesWithoutChroma = new Set([66, 77, 88]);

function avcC(
  w: BoxWriter,
  active: Uint8Array,
  sequenceSets: readonly Uint8Array[],
  pictureSets: readonly Uint8Array[],
): void {
  const set = parseH264(active);
  w.begin('avcC').u8(1);
  w.u8(set.profileIdc).u8(set.constraintFlags).u8(set.levelIdc);
  w.u8(0xfc | lengthSizeMinusOne);
  w.u8(0xe0 | sequenceSets.length);
  nalUnits(w, sequenceSets);
  w.u8(pictureSets.length);
  nalUnits(w, pictureSets);
  if (!profilesWithoutChroma.has(set.profileIdc)) {
    w.u8(0xfc | set.chromaFormatIdc)
      .u8(0xf8 | (set.bitDepthLuma - 8))
      .u8(0xf8 | (set.bitDepthChroma - 8));
    w.u8(0); // numOfSequenceParameterSetExt
  }
  w.finish();
}

function hvcC(w: BoxWriter, active: Uint8Array, format: VideoFormat, sets: SetsByKind): void {
  const set = parseH265(active);
  // sps_video_parameter_set_id u(4), sps_max_sub_layers_minus1 u(3), sps_temporal_id_nesting_flag u(1), and then the
  // general part of profile_tier_level, 12 bytes that the record repeats as they are (H.265 §7.3.2.2.1, §7.3.3).
  const payload = payloadOf(active, h265NalHeaderBytes);
  const temporalIdNested = payload[0]! & 1;
  w.begin('hvcC').u8(1);
  w.bytes(payload.subarray(1, 13));
  w.u16(0xf000); // min_spatial_segmentation_idc: not known
  w.u8(0xfc); // parallelismType: not known
  w.u8(0xfc | set.chromaFormatIdc)
    .u8(0xf8 | (set.bitDepthLuma - 8))
    .u8(0xf8 | (set.bitDepthChroma - 8));
  w.u16(Math.min(0xffff, Math.round(format.framesPerSecond * 256))); // avgFrameRate, in 1/256 a second; 0 not known
  // constantFrameRate 0 (may vary), numTemporalLayers, temporalIdNested
  w.u8(((set.highestTemporalId + 1) << 3) | (temporalIdNested << 2) | lengthSizeMinusOne);
  w.u8(sets.size);
  for (const kind of syntaxOf(Codec.h265).parameterSetKinds) {
    const ofKind = sets.get(kind)!;
    // array_completeness 1, which hvc1 demands
    w.u8(0x80 | syntaxOf(Codec.h265).nalUnitType(ofKind[0]![0]!)).u16(ofKind.length);
    nalUnits(w, ofKind);
  }
  w.finish();
}

function nalUnits(w: BoxWriter, sets: readonly Uint8Array[]): void {
  for (const nalUnit of sets) w.u16(nalUnit.length).bytes(nalUnit);
}
