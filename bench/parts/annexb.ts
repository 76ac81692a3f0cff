/**
 * How quickly is a byte stream of the camera cut into access units? Two seconds of video, in reads of 32 KB as they come
 * from a pipe: the bare search for start codes, and the whole cutter with its parsing of slice headers.
 *
 * The bytes are synthetic (no zeros in slices, the best case of the search by a few per cent) unless --clip is given.
 */

import { Codec } from '../../src/base/tracks.ts';
import { AccessUnitCutter } from '../../src/codec/access-unit-cutter.ts';
import { findStartCode, startCodeBytes } from '../../src/codec/annexb.ts';
import type { BenchContext, Part } from '../context.ts';
import { videoBytes } from '../support/material.ts';
import { gigabytesPerSecond, measureCases } from '../support/micro-benchmark.ts';

const readBytes = 32 * 1024;

export const annexbPart: Part = {
  names: ['annexb'],
  run: context => measureScan(context),
};

async function measureScan(context: BenchContext): Promise<void> {
  const bytes = videoBytes(context, 2);
  const scale = gigabytesPerSecond(bytes.length);
  await measureCases(context, 'annexb', [
    {
      id: 'annexb.scan',
      name: 'search for start codes',
      unit: 'GB/s',
      better: 'higher',
      scale,
      run: () => countStartCodes(bytes),
    },
    {
      id: 'annexb.cut',
      name: 'cutting of access units, reads of 32 KB',
      unit: 'GB/s',
      better: 'higher',
      scale,
      run: () => countPictures(bytes),
    },
  ]);
}

function countStartCodes(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; ; at += startCodeBytes, count++) {
    at = findStartCode(bytes, at, bytes.length);
    if (at < 0) return count;
  }
}

function countPictures(bytes: Uint8Array): number {
  const cutter = new AccessUnitCutter(Codec.h264);
  let pictures = 0;
  for (let at = 0; at < bytes.length; at += readBytes) {
    const read = bytes.subarray(at, at + readBytes);
    cutter.reserve(read.length).set(read);
    cutter.advance(read.length);
    while (cutter.next()) pictures++;
  }
  if (pictures === 0) throw new Error('there is no picture in the clip');
  return pictures;
}
