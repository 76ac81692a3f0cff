/**
 * A camera's picture without a camera: H.264 of 1080p60 whose access units have the sizes of a real one, the same bytes
 * each time. A device has no other material than a slow demo, and a measurement needs the same load everywhere.
 *
 * Constrained Baseline, level 4.2 (ITU-T H.264 §7.3.2.1.1, §7.3.2.2, §7.3.3): parameter sets and slice headers are real, so
 * that cutters, payloaders, recorder and index take it as any other; what follows in a slice is noise without zeros, and
 * decodes to nothing. Sizes vary by ± 40 % around the mean, key pictures have eight times as much; one of them a second.
 */

/** What is made. */
export interface SyntheticFormat {
  /** Multiples of 16 are not asked for: the picture is cropped. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly bitsPerSecond: number;
}

/** 1080p60 at 8 Mbit/s. */
export const syntheticFormat: SyntheticFormat = {
  width: 1920,
  height: 1080,
  framesPerSecond: 60,
  bitsPerSecond: 8_000_000,
};

/** A key picture has so many times the bytes of another one. */
const keyPictureFactor = 8;
const startCode = Uint8Array.of(0, 0, 0, 1);

/** A picture: its NAL units, without start codes. */
export interface SyntheticPicture {
  readonly units: readonly Uint8Array[];
  readonly isKey: boolean;
}

/** xorshift32: small, quick and the same everywhere. */
class Noise {
  private state = 0x2545_f491;

  /** Unsigned 32 bits. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** Bytes of 1 to 255, so that no start code and no emulation prevention occurs. */
  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = 1 + (this.next() % 255);
  }
}

/** Bits of a parameter set or a slice header, most significant first. */
class Bits {
  private text = '';

  /** u(n) */
  u(bits: number, value: number): this {
    this.text += value.toString(2).padStart(bits, '0');
    return this;
  }

  /** ue(v), §9.1 */
  ue(...values: readonly number[]): this {
    for (const value of values) {
      const code = (value + 1).toString(2);
      this.text += '0'.repeat(code.length - 1) + code;
    }
    return this;
  }

  /** A NAL unit: rbsp_trailing_bits (§7.3.2.11) and emulation prevention (§7.3.1). */
  unit(header: number): Uint8Array {
    const bytes = [header];
    let zeros = 0;
    for (const byte of this.bytes('1')) {
      if (zeros >= 2 && byte <= 3) {
        bytes.push(3);
        zeros = 0;
      }
      bytes.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(bytes);
  }

  /** Whole bytes, filled up by `end` and zeros. */
  bytes(end: string): Uint8Array {
    const text = this.text + end;
    const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '0');
    return Uint8Array.from({ length: padded.length / 8 }, (_, i) =>
      Number.parseInt(padded.slice(8 * i, 8 * i + 8), 2),
    );
  }
}

function sequenceParameterSet({ width, height, framesPerSecond }: SyntheticFormat): Uint8Array {
  const columns = Math.ceil(width / 16);
  const rows = Math.ceil(height / 16);
  return (
    new Bits()
      // Baseline with constraint_set0 and 1, level 4.2.
      .u(8, 66)
      .u(8, 0xc0)
      .u(8, 42)
      // id 0; frame_num of 8 bits; order of pictures is that of decoding; one reference; no gaps.
      .ue(0, 4, 2, 1)
      .u(1, 0)
      .ue(columns - 1, rows - 1)
      // frame_mbs_only_flag, direct_8x8_inference_flag, frame_cropping_flag
      .u(3, 0b111)
      .ue(0, (16 * columns - width) / 2, 0, (16 * rows - height) / 2)
      // VUI (§E.1.1) with nothing but timing: fields a second, fixed.
      .u(1, 1)
      .u(4, 0)
      .u(1, 1)
      .u(32, 1)
      .u(32, 2 * framesPerSecond)
      .u(1, 1)
      .u(4, 0)
      .unit(0x67)
  );
}

function pictureParameterSet(): Uint8Array {
  // Ids 0; CAVLC; one slice group; one reference; no weights; quantisers 26; no further flags.
  return new Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0).unit(0x68);
}

function slice(
  isKey: boolean,
  frameNumber: number,
  pictureId: number,
  lengthBytes: number,
  noise: Noise,
): Uint8Array {
  const bits = new Bits().ue(0, isKey ? 7 : 5, 0).u(8, frameNumber);
  // idr_pic_id and the marking of an IDR picture; else no override, no reordering, sliding window. Then slice_qp_delta.
  if (isKey) bits.ue(pictureId).u(2, 0).ue(0);
  else bits.u(3, 0).ue(0);
  const head = bits.bytes('1111111');
  const bytes = new Uint8Array(Math.max(lengthBytes, head.length + 16));
  noise.fill(bytes);
  bytes[0] = isKey ? 0x65 : 0x61;
  bytes.set(head, 1);
  return bytes;
}

/** So many seconds of pictures; the first one is a key picture. About a byte of memory for each byte of the stream. */
export function syntheticPictures(
  seconds: number,
  format: SyntheticFormat = syntheticFormat,
): SyntheticPicture[] {
  const { framesPerSecond, bitsPerSecond } = format;
  const noise = new Noise();
  const sets = [sequenceParameterSet(format), pictureParameterSet()];
  const meanBytes = bitsPerSecond / 8 / (framesPerSecond - 1 + keyPictureFactor);
  return Array.from({ length: Math.round(seconds * framesPerSecond) }, (_, i) => {
    const inGroup = i % framesPerSecond;
    const isKey = inGroup === 0;
    const varied = 0.6 + 0.8 * (noise.next() / 2 ** 32);
    const lengthBytes = Math.round(isKey ? meanBytes * keyPictureFactor : meanBytes * varied);
    const group = Math.floor(i / framesPerSecond);
    const unit = slice(isKey, inGroup % 256, group % 2, lengthBytes, noise);
    return { isKey, units: isKey ? [...sets, unit] : [unit] };
  });
}

/** The pictures as a byte stream (Annex B). */
export function annexBOf(pictures: readonly SyntheticPicture[]): Uint8Array {
  return Buffer.concat(pictures.flatMap(({ units }) => units.flatMap(unit => [startCode, unit])));
}
