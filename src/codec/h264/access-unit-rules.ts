/**
 * Where an access unit of H.264 begins (ITU-T H.264 §7.4.1.2.3 and §7.4.1.2.4).
 *
 * A delimiter, parameter set, SEI or one of types 15 to 18 begins one; so does the first slice of another picture. As
 * arbitrary slice order is out of scope, a slice with first_mb_in_slice 0 always is one, and the comparison of two
 * headers serves when that slice was lost. Each field is an access unit of its own, as the standard has it. Type 14
 * (before every slice of an SVC stream) is no sign: the slice after it decides. One thread, one object a stream.
 */
import type { AccessUnitRules, ParameterSetKind } from '../video-syntax.ts';
import { isSlice, NalUnitType, nalHeaderBytes, nalUnitType } from './nal-unit.ts';
import { type PictureParameterSet, parsePictureParameterSet } from './picture-parameter-set.ts';
import { parseSequenceParameterSet, type SequenceParameterSet } from './sequence-parameter-set.ts';
import { emptySliceHeader, isOtherPicture, SliceHeaderReader } from './slice-header.ts';

/** The rules of H.264. */
export class H264AccessUnitRules implements AccessUnitRules {
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
    if (!isSlice(type))
      return (
        (type >= NalUnitType.supplementalEnhancementInformation && type <= NalUnitType.accessUnitDelimiter) ||
        (type >= NalUnitType.subsetSequenceParameterSet && type <= NalUnitType.reserved18)
      );
    if (!this.lastIsKnown) return true;
    // first_mb_in_slice is 0 when the first bit of its Exp-Golomb code is set: this needs no parsing.
    if (end > start + nalHeaderBytes && bytes[start + nalHeaderBytes]! >= 0x80) return true;
    return this.parse(bytes, start, end) && isOtherPicture(this.last, this.next);
  }

  admitSlice(bytes: Uint8Array, start: number, end: number): void {
    const firstSlice = this.slices++ === 0;
    const header = this.next;
    const parsed = this.parse(bytes, start, end);
    const idr = nalUnitType(bytes[start]!) === NalUnitType.idrSlice;
    const unreferenced = (bytes[start]! & 0x60) === 0;
    this.randomAccess = idr && (firstSlice || this.randomAccess);
    this.nonReference = unreferenced && (firstSlice || this.nonReference);
    if (!parsed) return;
    if (header.bidirectional && this.mayReorder(header.pictureParameterSetId)) this.bidirectional = true;
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

  /** Whether the slice's stream may show pictures in another order; yes when its parameter sets are not known. */
  private mayReorder(pictureParameterSetId: number): boolean {
    const pictureSet = this.pictureSets[pictureParameterSetId];
    return (
      pictureSet === undefined || this.sequenceSets[pictureSet.sequenceParameterSetId]?.reorders !== false
    );
  }
}
