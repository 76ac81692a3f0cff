/**
 * The front of H.264's slice header (ITU-T H.264 §7.3.3), as far as it tells one picture from the next (§7.4.1.2.4)
 * and shows B slices. It is read into a reused object, since it is read for every slice. Any thread, one reader each.
 *
 * Without the parameter sets (joined in the middle of a stream) only the fields before frame_num are known, and the
 * rest stays 0. redundant_pic_cnt is not reached: redundant pictures (Baseline only) would be cut as pictures.
 */
import { BitReader } from '../../base/bit-reader.ts';
import { removeEmulationPrevention } from '../emulation-prevention.ts';
import { sliceHeaderBytesMax } from '../limits.ts';
import { NalUnitType, nalHeaderBytes, nalReferenceIdc, nalUnitType } from './nal-unit.ts';
import { type PictureParameterSet, pictureParameterSetCount } from './picture-parameter-set.ts';
import type { SequenceParameterSet } from './sequence-parameter-set.ts';

/** The fields of a slice that are compared, under the standard's names. */
export interface SliceHeader {
  referenceIdc: number;
  idr: boolean;
  firstMacroblock: number;
  bidirectional: boolean;
  pictureParameterSetId: number;
  /** Whether the parameter sets were known, so that the fields below are real. */
  complete: boolean;
  frameNum: number;
  fieldPicture: boolean;
  bottomField: boolean;
  idrPictureId: number;
  pictureOrderCountLsb: number;
  deltaPictureOrderCountBottom: number;
  deltaPictureOrderCount0: number;
  deltaPictureOrderCount1: number;
}

/** A header to read into. */
export function emptySliceHeader(): SliceHeader {
  return {
    referenceIdc: 0,
    idr: false,
    firstMacroblock: 0,
    bidirectional: false,
    pictureParameterSetId: 0,
    complete: false,
    frameNum: 0,
    fieldPicture: false,
    bottomField: false,
    idrPictureId: 0,
    pictureOrderCountLsb: 0,
    deltaPictureOrderCountBottom: 0,
    deltaPictureOrderCount0: 0,
    deltaPictureOrderCount1: 0,
  };
}

const sliceTypeB = 1;

/** Reads slice headers without allocating. */
export class SliceHeaderReader {
  private readonly payload = new Uint8Array(sliceHeaderBytesMax);
  private readonly reader = new BitReader(this.payload);

  /**
   * Reads the header of the slice at [start, end) into `target`. The tables hold the parameter sets by identifier.
   * Throws CameraError 'stream-invalid'; `target` is then worth nothing.
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
    const firstByte = bytes[start]!;
    target.referenceIdc = nalReferenceIdc(firstByte);
    target.idr = nalUnitType(firstByte) === NalUnitType.idrSlice;
    target.firstMacroblock = reader.readUnsigned();
    // Types 5 to 9 are 0 to 4 with the promise that all slices of the picture are of that type.
    target.bidirectional = reader.readUnsignedUpTo(9, 'slice_type') % 5 === sliceTypeB;
    target.pictureParameterSetId = reader.readUnsignedUpTo(
      pictureParameterSetCount - 1,
      'pic_parameter_set_id',
    );
    target.complete = false;
    target.frameNum = 0;
    target.fieldPicture = false;
    target.bottomField = false;
    target.idrPictureId = 0;
    target.pictureOrderCountLsb = 0;
    target.deltaPictureOrderCountBottom = 0;
    target.deltaPictureOrderCount0 = 0;
    target.deltaPictureOrderCount1 = 0;
    const pictureSet = pictureSets[target.pictureParameterSetId];
    const sequenceSet = pictureSet && sequenceSets[pictureSet.sequenceParameterSetId];
    if (pictureSet === undefined || sequenceSet === undefined) return;

    if (sequenceSet.separateColourPlane) reader.skipBits(2); // colour_plane_id
    target.frameNum = reader.readBits(sequenceSet.frameNumBits);
    if (!sequenceSet.frameMacroblocksOnly) {
      target.fieldPicture = reader.readFlag();
      if (target.fieldPicture) target.bottomField = reader.readFlag();
    }
    if (target.idr) target.idrPictureId = reader.readUnsignedUpTo(65535, 'idr_pic_id');
    const bottomDelta = pictureSet.bottomFieldPictureOrderInFrame && !target.fieldPicture;
    if (sequenceSet.pictureOrderCountType === 0) {
      target.pictureOrderCountLsb = reader.readBits(sequenceSet.pictureOrderCountLsbBits);
      if (bottomDelta) target.deltaPictureOrderCountBottom = reader.readSigned();
    } else if (sequenceSet.pictureOrderCountType === 1 && !sequenceSet.deltaPictureOrderAlwaysZero) {
      target.deltaPictureOrderCount0 = reader.readSigned();
      if (bottomDelta) target.deltaPictureOrderCount1 = reader.readSigned();
    }
    target.complete = true;
  }
}

/** Whether two slices that follow each other are of different pictures (§7.4.1.2.4). */
export function isOtherPicture(last: SliceHeader, next: SliceHeader): boolean {
  if (
    last.pictureParameterSetId !== next.pictureParameterSetId ||
    last.idr !== next.idr ||
    (last.referenceIdc !== next.referenceIdc && (last.referenceIdc === 0 || next.referenceIdc === 0))
  )
    return true;
  if (!last.complete || !next.complete) return false;
  return (
    last.frameNum !== next.frameNum ||
    last.fieldPicture !== next.fieldPicture ||
    last.bottomField !== next.bottomField ||
    last.idrPictureId !== next.idrPictureId ||
    last.pictureOrderCountLsb !== next.pictureOrderCountLsb ||
    last.deltaPictureOrderCountBottom !== next.deltaPictureOrderCountBottom ||
    last.deltaPictureOrderCount0 !== next.deltaPictureOrderCount0 ||
    last.deltaPictureOrderCount1 !== next.deltaPictureOrderCount1
  );
}
