/**
 * A camera that only tests have: writes Annex B H.264 to standard output, 60 pictures a second of about 96 KB (47
 * Mbit/s), an IDR picture every 15. Parameter sets are those of the file given; slices have a real beginning and then
 * bytes that the number of the picture decides, so that the far end can tell a torn one. A program and a module.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sliceBytes = 96 * 1024;
const headBytes = 8;

/** A slice; the number is kept 7 bits a byte, no byte of it is 0 and so none needs an emulation prevention. */
export function slice(number: number): Buffer {
  const isKey = number % 15 === 0;
  const unit = Buffer.alloc(sliceBytes - (number % 1000));
  // nal_unit_type 5 or 1; first_mb_in_slice 0; slice_type I or P; pic_parameter_set_id 0; frame_num and so on.
  unit.set(isKey ? [0x65, 0x88, 0x84, 0x41] : [0x41, 0x9a, 0x24, 0x41]);
  for (let i = 0; i < 4; i++) unit[4 + i] = 0x80 | ((number >> (7 * i)) & 0x7f);
  for (let i = headBytes; i < unit.length; i++) unit[i] = 1 + ((number * 37 + i * (1 + (number % 7))) % 255);
  return unit;
}

/** Whether a NAL unit with nal_unit_type 1 or 5 is one that slice() made, to the last byte. */
export function isWhole(unit: Uint8Array): boolean {
  let number = 0;
  for (let i = 0; i < 4; i++) number |= (unit[4 + i]! & 0x7f) << (7 * i);
  return slice(number).equals(unit);
}

const startCode = Buffer.from([0, 0, 0, 1]);

async function run(file: string): Promise<never> {
  const bytes = readFileSync(file);
  const starts: number[] = [];
  for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex'))
    starts.push(at);
  const sets = starts
    .map((start, i) => bytes.subarray(start + 3, starts[i + 1] ?? bytes.length))
    .filter(unit => (unit[0]! & 31) === 7 || (unit[0]! & 31) === 8)
    .slice(0, 2);
  const begin = performance.now();
  for (let number = 0; ; number++) {
    const parts: Uint8Array[] = [startCode, Buffer.from([9, 0xf0])];
    if (number % 15 === 0) for (const set of sets) parts.push(startCode, set);
    parts.push(startCode, slice(number));
    if (!process.stdout.write(Buffer.concat(parts)))
      await new Promise(resolve => process.stdout.once('drain', resolve));
    const waitMs = begin + ((number + 1) * 1000) / 60 - performance.now();
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.on('error', () => process.exit(0));
  await run(process.argv[2]!);
}
