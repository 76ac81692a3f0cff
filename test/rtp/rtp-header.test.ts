import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  absCaptureTimeBytes,
  extensionBlockBytes,
  playoutDelayBytes,
  writeAbsCaptureTime,
  writeExtensionBlockHeader,
  writePlayoutDelay,
  writeRtpFixedHeader,
} from '../../src/rtp/rtp-header.ts';
import { parseRtpPacket } from '../../src/rtp/rtp-header-parser.ts';
import { RtpStreamHeader } from '../../src/rtp/rtp-stream-header.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the RTP header writers', () => {
  it('write the fixed header of RFC 3550 §5.1', () => {
    const target = new Uint8Array(14).fill(0xee);
    assert.equal(writeRtpFixedHeader(target, 1, false, true, 96, 0xf17b, 0x8041_f8d3, 0x5501_a0b2), 12);
    assert.equal(hex(target), 'ee80e0f17b8041f8d35501a0b2ee');
  });

  it('write playout-delay as two times 12 bits in units of 10 ms', () => {
    const target = new Uint8Array(4);
    assert.equal(writePlayoutDelay(target, 0, 5, 0, 0), playoutDelayBytes);
    assert.equal(hex(target), '52000000');
    writePlayoutDelay(target, 0, 5, 40_950, 10);
    assert.equal(hex(target), '52fff001');
    writePlayoutDelay(target, 0, 1, 120, 4_100);
    assert.equal(hex(target), '1200c19a');
  });

  it('write abs-capture-time as 64 bits of NTP without clock offset', () => {
    const target = new Uint8Array(9);
    assert.equal(writeAbsCaptureTime(target, 0, 14, 0xe6b1_2345, 0x8000_0001), absCaptureTimeBytes);
    assert.equal(hex(target), 'e7e6b1234580000001');
  });

  it('count the extension block in words and pad it', () => {
    const target = new Uint8Array(4);
    writeExtensionBlockHeader(target, 0, playoutDelayBytes + absCaptureTimeBytes);
    assert.equal(hex(target), 'bede0004');
    assert.equal(extensionBlockBytes(13), 20);
    assert.equal(extensionBlockBytes(4), 8);
    assert.equal(extensionBlockBytes(0), 0);
  });
});

describe('RtpStreamHeader', () => {
  const both = { ssrc: 0xdead_beef, payloadType: 102, playoutDelay: { id: 3, minMs: 0, maxMs: 0 } };

  it('writes headers that read back as what was set', () => {
    fc.assert(
      fc.property(
        fc.nat(65535),
        fc.nat(0xffff_ffff),
        fc.nat(0xffff_ffff),
        fc.boolean(),
        fc.constantFrom(undefined, 7),
        fc.boolean(),
        (sequenceNumber, rtpTimestamp, ssrc, marker, absCaptureTimeId, hasDelay) => {
          const header = new RtpStreamHeader({
            ssrc,
            payloadType: 102,
            absCaptureTimeId,
            playoutDelay: hasDelay ? { id: 3, minMs: 10, maxMs: 20 } : undefined,
          });
          header.setFrame(rtpTimestamp, 0x0102_0304, 0x0506_0708);
          const packet = new Uint8Array(header.lengthBytes + 3);
          assert.equal(header.write(packet, 0, sequenceNumber, marker), header.lengthBytes);
          const parsed = parseRtpPacket(packet);
          assert.ok(parsed);
          assert.deepEqual(
            [parsed.sequenceNumber, parsed.rtpTimestamp, parsed.ssrc, parsed.marker, parsed.payloadType],
            [sequenceNumber, rtpTimestamp, ssrc, marker, 102],
          );
          assert.equal(parsed.headerBytes, header.lengthBytes);
          assert.equal(parsed.payload.length, 3);
          const time = parsed.extensions.get(7);
          assert.equal(time && hex(time), absCaptureTimeId && '0102030405060708');
          const delay = parsed.extensions.get(3);
          assert.equal(delay && hex(delay), hasDelay ? '001002' : undefined);
        },
      ),
    );
  });

  it('has one length for all packets of a stream, a multiple of 4', () => {
    assert.equal(new RtpStreamHeader({ ssrc: 1, payloadType: 0 }).lengthBytes, 12);
    assert.equal(new RtpStreamHeader(both).lengthBytes, 20);
    assert.equal(new RtpStreamHeader({ ...both, absCaptureTimeId: 4 }).lengthBytes, 32);
    assert.equal(new RtpStreamHeader({ ssrc: 1, payloadType: 0, absCaptureTimeId: 4 }).lengthBytes, 28);
  });

  it('takes sequence numbers above 16 bits by their lower 16 and clears the marker again', () => {
    const header = new RtpStreamHeader(both);
    const target = new Uint8Array(20);
    header.write(target, 0, 0x1_0005, true);
    assert.deepEqual([...target.subarray(1, 4)], [0x80 | 102, 0, 5]);
    header.write(target, 0, 6, false);
    assert.deepEqual([...target.subarray(1, 4)], [102, 0, 6]);
  });

  it('refuses values that do not fit their fields', () => {
    for (const wrong of [
      { payloadType: 128 },
      { absCaptureTimeId: 15 },
      { absCaptureTimeId: 0 },
      { absCaptureTimeId: 3 },
      { playoutDelay: { id: 15, minMs: 0, maxMs: 0 } },
      { playoutDelay: { id: 1, minMs: 20, maxMs: 10 } },
      { playoutDelay: { id: 1, minMs: 0, maxMs: 40_960 } },
    ])
      assert.throws(() => new RtpStreamHeader({ ...both, ...wrong }), { code: 'internal' });
  });
});

describe('parseRtpPacket', () => {
  it('skips CSRCs and padding', () => {
    const packet = Buffer.from('a1000001000000020000000300000004aabbcc000003', 'hex');
    const parsed = parseRtpPacket(packet);
    assert.equal(parsed && hex(parsed.payload), 'aabbcc');
  });

  it('reads two-byte elements, with empty ones', () => {
    const packet = Buffer.from('900000010000000200000003100000020100020212340000', 'hex');
    const parsed = parseRtpPacket(packet);
    assert.deepEqual(
      [...parsed!.extensions].map(([id, data]) => [id, hex(data)]),
      [
        [1, ''],
        [2, '1234'],
      ],
    );
  });

  it('refuses an extension block or an element that is longer than the packet', () => {
    assert.equal(parseRtpPacket(Buffer.from('900000010000000200000003bede000211223344', 'hex')), undefined);
    assert.equal(parseRtpPacket(Buffer.from('900000010000000200000003bede00011f223344', 'hex')), undefined);
    assert.equal(parseRtpPacket(Buffer.from('b00000010000000200000003bede0000ff', 'hex')), undefined);
    assert.equal(parseRtpPacket(Buffer.from('800000', 'hex')), undefined);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(0x80, 0x90, 0xb0, 0x9f),
        (bytes, first) => {
          if (bytes.length > 0) bytes[0] = first;
          const parsed = parseRtpPacket(bytes);
          if (parsed) assert.ok(parsed.headerBytes + parsed.payload.length <= bytes.length);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
