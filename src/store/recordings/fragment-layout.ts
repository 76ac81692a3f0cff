/**
 * The record of one fragment: 64 bytes, little-endian, version 1. Which fragment of which segment it is says its key.
 *
 * ```
 *    0 version u8          20 videoDuration90k   40 before.fragments
 *    1 flags u8            24 syncSamples u16    44 before.videoSamples
 *    2 videoSamples u16    26 audioBlocks u16    48 before.syncSamples
 *    4 checksum            28 audioStart8k       52 before.audioBlocks
 *    8 offset              32 audioSamples       56 before.audioSamples
 *   12 lengthBytes         36 audioBytes         60 before.audioBytes
 *   16 videoStart90k
 * ```
 *
 * Flags: 1 startsWithSync. The checksum is the CRC-32 of the key and of the record without it: a record that
 * lies under another key is found out, too. Pure.
 */
import { CameraError } from '../../base/errors.ts';
import type { FragmentRecord } from '../../isobmff/recorded-segment.ts';
import { numberMax } from './keys.ts';

/** Bytes of a fragment's record. */
export const fragmentBytes = 64;

/** Version of every record that is written today. */
export const layoutVersion = 1;

const checksumAt = 4;
const shortMax = 0xffff;

/** Bytes of a fragment of their own memory. Throws `state-failed` when a value does not fit its field. */
export function encodeFragment(key: Buffer, fragment: FragmentRecord): Buffer {
  const { before } = fragment;
  const bytes = Buffer.alloc(fragmentBytes);
  bytes[0] = layoutVersion;
  bytes[1] = fragment.startsWithSync ? 1 : 0;
  bytes.writeUInt16LE(within(fragment.videoSamples, shortMax), 2);
  bytes.writeUInt32LE(within(fragment.offset, numberMax), 8);
  bytes.writeUInt32LE(within(fragment.lengthBytes, numberMax), 12);
  bytes.writeUInt32LE(within(fragment.videoStart90k, numberMax), 16);
  bytes.writeUInt32LE(within(fragment.videoDuration90k, numberMax), 20);
  bytes.writeUInt16LE(within(fragment.syncSamples, shortMax), 24);
  bytes.writeUInt16LE(within(fragment.audioBlocks, shortMax), 26);
  bytes.writeUInt32LE(within(fragment.audioStart8k, numberMax), 28);
  bytes.writeUInt32LE(within(fragment.audioSamples, numberMax), 32);
  bytes.writeUInt32LE(within(fragment.audioBytes, numberMax), 36);
  bytes.writeUInt32LE(within(before.fragments, numberMax), 40);
  bytes.writeUInt32LE(within(before.videoSamples, numberMax), 44);
  bytes.writeUInt32LE(within(before.syncSamples, numberMax), 48);
  bytes.writeUInt32LE(within(before.audioBlocks, numberMax), 52);
  bytes.writeUInt32LE(within(before.audioSamples, numberMax), 56);
  bytes.writeUInt32LE(within(before.audioBytes, numberMax), 60);
  seal(key, bytes);
  return bytes;
}

/** Throws `state-failed` when the record is damaged, of another length or of a later version. */
export function decodeFragment(key: Buffer, bytes: Buffer): FragmentRecord {
  if (bytes.length !== fragmentBytes) throw damaged(key);
  verify(key, bytes);
  return {
    number: key.readUInt32BE(6),
    offset: bytes.readUInt32LE(8),
    lengthBytes: bytes.readUInt32LE(12),
    startsWithSync: (bytes[1]! & 1) !== 0,
    videoStart90k: bytes.readUInt32LE(16),
    videoDuration90k: bytes.readUInt32LE(20),
    videoSamples: bytes.readUInt16LE(2),
    syncSamples: bytes.readUInt16LE(24),
    audioStart8k: bytes.readUInt32LE(28),
    audioBlocks: bytes.readUInt16LE(26),
    audioSamples: bytes.readUInt32LE(32),
    audioBytes: bytes.readUInt32LE(36),
    before: {
      fragments: bytes.readUInt32LE(40),
      videoSamples: bytes.readUInt32LE(44),
      syncSamples: bytes.readUInt32LE(48),
      audioBlocks: bytes.readUInt32LE(52),
      audioSamples: bytes.readUInt32LE(56),
      audioBytes: bytes.readUInt32LE(60),
    },
  };
}

/** Puts the checksum into a record of any kind. */
export function seal(key: Buffer, bytes: Buffer): void {
  bytes.writeUInt32LE(checksumOf(key, bytes), checksumAt);
}

/** Throws `state-failed` unless version and checksum of a record of any kind are right. The bytes are as before. */
export function verify(key: Buffer, bytes: Buffer): void {
  if (bytes.length < 8) throw damaged(key);
  if (bytes.readUInt32LE(checksumAt) !== checksumOf(key, bytes)) throw damaged(key);
  if (bytes[0] !== layoutVersion)
    throw new CameraError('state-failed', 'a record of the index is of a later version of this program', {
      version: bytes[0]!,
    });
}

/** The value; throws `state-failed` when it is not a whole number up to the limit. */
export function within(value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new CameraError('state-failed', 'a value does not fit into the index', { value, max });
}

// Reflected polynomial of CRC-32 (ISO 3309), as in zlib.
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** For some 70 bytes a call of zlib takes longer than this loop; a day of fragments has 86,400 records. */
function checksumOf(key: Buffer, bytes: Buffer): number {
  let crc = -1;
  for (let i = 0; i < key.length; i++) crc = (crc >>> 8) ^ table[(crc ^ key[i]!) & 0xff]!;
  for (let i = 0; i < checksumAt; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  for (let i = checksumAt + 4; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

function damaged(key: Buffer): CameraError {
  return new CameraError('state-failed', 'a record of the index is damaged', { key: key.toString('hex') });
}
