/**
 * Where an access unit of H.265 begins (ITU-T H.265 §7.4.2.4.4).
 *
 * A delimiter, parameter set, prefix SEI or one of types 41 to 44 and 48 to 55 of the base layer begins one; so does a
 * slice segment with first_slice_segment_in_pic_flag, and the comparison of two headers serves when that segment was
 * lost. Suffix SEI belongs to the picture before it. One thread, one object a stream.
 */
import type { AccessUnitRules, ParameterSetKind } from '../video-syntax.ts';
import {
  isRandomAccess,
  isSlice,
  isSubLayerNonReference,
  NalUnitType,
  nalHeaderBytes,
  nalLayerId,
  nalUnitType,
  temporalId,
} from './nal-unit.ts';
import { type PictureParameterSet, parsePictureParameterSet } from './picture-parameter-set.ts';
import { parseSequenceParameterSet, type SequenceParameterSet } from './sequence-parameter-set.ts';
import { emptySliceHeader, isOtherPicture, SliceHeaderReader } from './slice-header.ts';

/** The rules of H.265. */
export class H265AccessUnitRules implements AccessUnitRules {
  randomAccess = false;
  nonReference = false;
  bidirectional = false;
  private slices = 0;
  private readonly sequenceSets: (SequenceParameterSet | undefined)[] = [];
  private readonly pictureSets: (PictureParameterSet | undefined)[] = [];
  private readonly sliceHeaderReader = new SliceHeaderReader();
  private last = emptySliceHeader();
  private next = emptySliceHeader();
  private lastIsKnown = false;

  beginsAccessUnit(bytes: Uint8Array, start: number, end: number): boolean {
    const type = nalUnitType(bytes[start]!);
    // Other layers' NAL units lie inside the access unit of their base picture.
    if (nalLayerId(bytes[start]!, bytes[start + 1]!) !== 0) return false;
    if (!isSlice(type))
      return (
        (type >= NalUnitType.videoParameterSet && type <= NalUnitType.accessUnitDelimiter) ||
        type === NalUnitType.prefixSei ||
        (type >= NalUnitType.reserved41 && type <= NalUnitType.reserved44) ||
        (type >= NalUnitType.unspecified48 && type <= NalUnitType.unspecified55)
      );
    if (!this.lastIsKnown) return true;
    if (end > start + nalHeaderBytes && bytes[start + nalHeaderBytes]! >= 0x80) return true;
    return this.parse(bytes, start, end) && isOtherPicture(this.last, this.next);
  }

  admitSlice(bytes: Uint8Array, start: number, end: number): void {
    const firstSlice = this.slices++ === 0;
    const header = this.next;
    const parsed = this.parse(bytes, start, end);
    const type = nalUnitType(bytes[start]!);
    this.randomAccess = isRandomAccess(type) && (firstSlice || this.randomAccess);
    if (!parsed) {
      this.nonReference = false;
      return;
    }
    const pictureSet = this.pictureSets[header.pictureParameterSetId];
    const sequenceSet = pictureSet && this.sequenceSets[pictureSet.sequenceParameterSetId];
    // A sub-layer non-reference picture may still be referred to from a higher sub-layer, if there can be one.
    const highest = temporalId(bytes[start + 1]!) >= (sequenceSet?.highestTemporalId ?? 0);
    this.nonReference = isSubLayerNonReference(type) && highest && (firstSlice || this.nonReference);
    // Cameras code P pictures as B slices that look back only (GPB): those need no other order of output.
    if (header.bidirectional && sequenceSet?.reorders !== false) this.bidirectional = true;
    if (!header.complete && !firstSlice) {
      // A dependent slice segment says nothing of its own: the independent one before it stays for comparison.
      return;
    }
    this.next = this.last;
    this.last = header;
    this.lastIsKnown = true;
  }

  learn(kind: ParameterSetKind, nalUnit: Uint8Array): void {
    try {
      if (kind === 'sps') {
        const set = parseSequenceParameterSet(nalUnit);
        this.sequenceSets[set.id] = set;
      } else if (kind === 'pps') {
        const set = parsePictureParameterSet(nalUnit);
        this.pictureSets[set.id] = set;
      }
    } catch {
      // A set that cannot be read leaves the one known before; ParameterSetTracker is who counts it.
    }
  }

  startAccessUnit(): void {
    this.slices = 0;
    this.randomAccess = false;
    this.nonReference = false;
    this.bidirectional = false;
  }

  private parse(bytes: Uint8Array, start: number, end: number): boolean {
    try {
      this.sliceHeaderReader.read(bytes, start, end, this.pictureSets, this.sequenceSets, this.next);
      return true;
    } catch {
      return false;
    }
  }
}
