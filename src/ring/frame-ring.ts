/**
 * Makes a frame ring and opens the views of one, after checking that the memory really is a ring.
 *
 * Any thread may call this. A SharedArrayBuffer that is no ring, is of another version or contradicts its own sizes is
 * refused here, once, so that producer and consumer index without further checks. The memory is made once per life of
 * the process and outlives every worker; a producer that died is followed by another on the same ring.
 */
import { CameraError } from '../base/errors.ts';
import {
  dataBytesMax,
  dataBytesMin,
  headerBytes,
  recordAlignmentBytes,
  ringMagic,
  ringVersion,
  slotCountMax,
  slotCountMin,
  wordDataBytes,
  wordMagic,
  wordSlotCount,
  wordVersion,
} from './ring-layout.ts';
import { slotBytes } from './slot-layout.ts';

export interface FrameRingOptions {
  /** Bytes of the data area: a multiple of 64, 4 KiB to 1 GiB. Seconds held = dataBytes × 8 / bits per second. */
  readonly dataBytes: number;
  /** Slots: a power of two, 4 to 2^20. Seconds held = slotCount / records per second of all tracks. */
  readonly slotCount: number;
}

/** The views of a ring. They share memory; each thread opens its own. */
export interface RingViews {
  /** Header words, for Atomics alone. */
  readonly words: Int32Array;
  readonly slots: DataView;
  readonly data: Uint8Array;
  readonly slotCount: number;
  readonly dataBytes: number;
}

/** Makes an empty ring. Throws CameraError `ring-invalid` for sizes outside {@link FrameRingOptions}' ranges. */
export function createFrameRing({ dataBytes, slotCount }: FrameRingOptions): SharedArrayBuffer {
  checkSizes(dataBytes, slotCount);
  const ring = new SharedArrayBuffer(headerBytes + slotCount * slotBytes + dataBytes);
  const words = new Int32Array(ring, 0, headerBytes / 4);
  Atomics.store(words, wordVersion, ringVersion);
  Atomics.store(words, wordDataBytes, dataBytes);
  Atomics.store(words, wordSlotCount, slotCount);
  // The magic comes last: who sees it sees the rest.
  Atomics.store(words, wordMagic, ringMagic);
  return ring;
}

/** Opens a ring made by {@link createFrameRing}. Throws CameraError `ring-invalid` for anything else. */
export function openFrameRing(ring: SharedArrayBuffer): RingViews {
  if (!(ring instanceof SharedArrayBuffer) || ring.byteLength < headerBytes)
    throw new CameraError('ring-invalid', 'a frame ring is a SharedArrayBuffer with a header', {});
  const words = new Int32Array(ring, 0, headerBytes / 4);
  const magic = Atomics.load(words, wordMagic);
  if (magic !== ringMagic)
    throw new CameraError('ring-invalid', 'this memory is not a frame ring', { magic });
  const version = Atomics.load(words, wordVersion);
  if (version !== ringVersion)
    throw new CameraError(
      'ring-invalid',
      `the frame ring has layout ${version}, this build reads ${ringVersion}`,
      {
        version,
      },
    );
  const dataBytes = Atomics.load(words, wordDataBytes);
  const slotCount = Atomics.load(words, wordSlotCount);
  checkSizes(dataBytes, slotCount);
  const byteLength = headerBytes + slotCount * slotBytes + dataBytes;
  if (ring.byteLength !== byteLength)
    throw new CameraError('ring-invalid', 'the frame ring is not as long as its header says', {
      byteLength: ring.byteLength,
      expected: byteLength,
    });
  return {
    words,
    slots: new DataView(ring, headerBytes, slotCount * slotBytes),
    data: new Uint8Array(ring, headerBytes + slotCount * slotBytes, dataBytes),
    slotCount,
    dataBytes,
  };
}

/** Largest record of a ring: half the data area, so that a picture and the one it refers to fit together. */
export function recordBytesMaxOf(dataBytes: number): number {
  return Math.floor(dataBytes / 2 / recordAlignmentBytes) * recordAlignmentBytes;
}

function checkSizes(dataBytes: number, slotCount: number): void {
  const dataFits =
    Number.isInteger(dataBytes) &&
    dataBytes >= dataBytesMin &&
    dataBytes <= dataBytesMax &&
    dataBytes % recordAlignmentBytes === 0;
  if (!dataFits)
    throw new CameraError(
      'ring-invalid',
      `dataBytes is ${dataBytes}, not a multiple of 64 from 4096 to 2^30`,
      {
        dataBytes,
      },
    );
  const slotsFit =
    Number.isInteger(slotCount) &&
    slotCount >= slotCountMin &&
    slotCount <= slotCountMax &&
    (slotCount & (slotCount - 1)) === 0;
  if (!slotsFit)
    throw new CameraError('ring-invalid', `slotCount is ${slotCount}, not a power of two from 4 to 2^20`, {
      slotCount,
    });
}
