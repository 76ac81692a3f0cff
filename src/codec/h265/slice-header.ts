/**
 * The front of H.265's slice segment header (ITU-T H.265 §7.3.6.1), as far as it tells one picture from the next and
 * shows B slices. It is read into a reused object, since it is read for every slice. Any thread, one reader each.
 *
 * Without the parameter sets (joined in the middle of a stream) only the fields up to the picture parameter set's
 * identifier are known. A dependent slice segment repeats nothing, so nothing more is known of it either.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { removeEmulationPrevention } from '../emulation-prevention.ts';
import { sliceHeaderBytesMax } from '../limits.ts';
import { NalUnitType, nalHeaderBytes, nalUnitType } from './nal-unit.ts';
import { type PictureParameterSet, pictureParameterSetCount } from './picture-parameter-set.ts';
import type { SequenceParameterSet } from './sequence-parameter-set.ts';

/** The fields of a slice segment that are compared, under the standard's names. */
export interface SliceHeader {
  nalUnitType: number;
  firstSliceSegmentInPicture: boolean;
  pictureParameterSetId: number;
  /** Whether it is an independent slice segment with known parameter sets, so that the fields below are real. */
  complete: boolean;
  bidirectional: boolean;
  pictureOrderCountLsb: number;
}

/** A header to read into. */
export function emptySliceHeader(): SliceHeader {
  return {
    nalUnitType: 0,
    firstSliceSegmentInPicture: false,
    pictureParameterSetId: 0,
    complete: false,
    bidirectional: false,
    pictureOrderCountLsb: 0,
  };
}

const sliceTypeB = 0;

/** Reads slice segment headers without allocating. */
export class SliceHeaderReader {
  private readonly payload = new Uint8Array(sliceHeaderBytesMax);
  private readonly reader = new BitReader(this.payload);

  /**
   * Reads the header of the slice segment at [start, end) into `target`. The tables hold the parameter sets by
   * identifier. Throws CameraError 'stream-invalid'; `target` is then worth nothing.
   */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    pictureSets: readonly (PictureParameterSet | undefined)[],
    sequenceSets: readonly (SequenceParameterSet | undefined)[],
    target: SliceHeader,
  ): void {
    const length = removeEmulationPrevention(bytes, start + nalHeaderBytes, end, this.payload);
    const reader = this.reader;
    reader.reset(this.payload, 0, length);
    const type = nalUnitType(bytes[start]!);
    target.nalUnitType = type;
    target.firstSliceSegmentInPicture = reader.readFlag();
    if (type >= NalUnitType.blaWithLeadingPictures && type <= NalUnitType.reservedIrap23) reader.skipBits(1);
    target.pictureParameterSetId = reader.readUnsignedUpTo(
      pictureParameterSetCount - 1,
      'slice_pic_parameter_set_id',
    );
    target.complete = false;
    target.bidirectional = false;
    target.pictureOrderCountLsb = 0;
    const pictureSet = pictureSets[target.pictureParameterSetId];
    const sequenceSet = pictureSet && sequenceSets[pictureSet.sequenceParameterSetId];
    if (pictureSet === undefined || sequenceSet === undefined) return;

    if (!target.firstSliceSegmentInPicture) {
      const dependent = pictureSet.dependentSliceSegmentsEnabled && reader.readFlag();
      reader.skipBits(sequenceSet.sliceSegmentAddressBits);
      if (dependent) return;
    }
    reader.skipBits(pictureSet.extraSliceHeaderBits);
    target.bidirectional = reader.readUnsignedUpTo(2, 'slice_type') === sliceTypeB;
    if (pictureSet.outputFlagPresent) reader.skipBits(1); // pic_output_flag
    if (sequenceSet.separateColourPlane) reader.skipBits(2); // colour_plane_id
    if (type !== NalUnitType.idrWithLeadingPictures && type !== NalUnitType.idrWithoutLeadingPictures)
      target.pictureOrderCountLsb = reader.readBits(sequenceSet.pictureOrderCountLsbBits);
    target.complete = true;
  }
}

/**
 * Whether two slice segments that follow each other are of different pictures: all of one picture have the same type
 * (§7.4.2.2), parameter set and picture order count (§7.4.7.1).
 */
export function isOtherPicture(last: SliceHeader, next: SliceHeader): boolean {
  return (
    last.nalUnitType !== next.nalUnitType ||
    last.pictureParameterSetId !== next.pictureParameterSetId ||
    (last.complete && next.complete && last.pictureOrderCountLsb !== next.pictureOrderCountLsb)
  );
}
