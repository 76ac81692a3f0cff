import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RtcpParser, type RtcpVisitor } from '../../src/rtp/rtcp-parser.ts';
import { nackedPacketsMax, rtcpBytesMax } from '../../src/rtp/rtp-limits.ts';

type Event = readonly [string, ...unknown[]];

/** Parses and returns the events, or undefined if the packet was refused (and then no event came). */
function eventsOf(bytes: Uint8Array): Event[] | undefined {
  const events: Event[] = [];
  const visitor: RtcpVisitor = {
    onReportBlock: block => events.push(['report', { ...block }]),
    onNack: (ssrc, numbers, count) => events.push(['nack', ssrc, [...numbers.subarray(0, count)]]),
    onPictureLoss: ssrc => events.push(['pli', ssrc]),
    onFullIntraRequest: (ssrc, commandNumber) => events.push(['fir', ssrc, commandNumber]),
    onGoodbye: ssrc => events.push(['bye', ssrc]),
  };
  const taken = new RtcpParser().parse(bytes, visitor);
  assert.ok(taken || events.length === 0, 'a refused packet gives no event');
  return taken ? events : undefined;
}

/** A sub-packet; the length field is filled in. */
function packet(count: number, type: number, body: string, padding = 0): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(body, 'hex'), Buffer.alloc(padding)]);
  bytes[0] = 0x80 | (padding ? 0x20 : 0) | count;
  bytes[1] = type;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  if (padding) bytes[bytes.length - 1] = padding;
  return bytes;
}

const own = 'cafebabe';
const peer = '00000001';
const block = `${own}40fffffe0001abcd000000640badc0de00010000`;
const emptyReport = packet(0, 201, peer);
const nack = (entries: string): Buffer => packet(1, 205, peer + own + entries);
const pli = packet(1, 206, peer + own);
const fir = packet(4, 206, `${peer}00000000${own}07000000`);
const remb = packet(15, 206, `${peer}0000000052454d42010dfff0${own}`);
const twcc = packet(15, 205, `${peer}${own}0001000200000100aabbccdd`);
const bye = packet(1, 203, peer);
const sdes = packet(1, 202, `${peer}0106616161616161000000`.padEnd(32, '0'));
const xr = packet(0, 207, `${peer}04000002e6b1234580000000`);

describe('RtcpParser', () => {
  it('reads the report blocks of receiver and sender reports', () => {
    const expected = {
      reporterSsrc: 1,
      ssrc: 0xcafe_babe,
      fractionLost: 0x40,
      cumulativeLost: -2,
      extendedHighestSequence: 0x0001_abcd,
      jitter: 100,
      lastSenderReport: 0x0bad_c0de,
      delaySinceLastSenderReport: 65536,
    };
    assert.deepEqual(eventsOf(packet(1, 201, peer + block)), [['report', expected]]);
    assert.deepEqual(eventsOf(packet(2, 200, peer + '00'.repeat(20) + block + block)), [
      ['report', expected],
      ['report', expected],
    ]);
  });

  it('turns packet ID and bit mask of a generic NACK into sequence numbers, across the wrap', () => {
    assert.deepEqual(eventsOf(nack('fffe8001')), [['nack', 0xcafe_babe, [0xfffe, 0xffff, 14]]]);
    assert.deepEqual(eventsOf(nack('0064000000c80003')), [['nack', 0xcafe_babe, [100, 200, 201, 202]]]);
  });

  it('does not take REMB behind a NACK for losses', () => {
    const events = eventsOf(Buffer.concat([emptyReport, nack('00640000'), remb]));
    assert.deepEqual(events, [['nack', 0xcafe_babe, [100]]]);
  });

  it('reads PLI, FIR and BYE and skips SDES, XR, REMB, transport-wide feedback and unknown types', () => {
    const unknown = packet(3, 210, 'ffffffffffffffff');
    const compound = Buffer.concat([emptyReport, sdes, xr, remb, twcc, unknown, pli, fir, bye]);
    assert.deepEqual(eventsOf(compound), [
      ['pli', 0xcafe_babe],
      ['fir', 0xcafe_babe, 7],
      ['bye', 1],
    ]);
  });

  it('takes a reduced-size packet, which does not begin with a report', () => {
    assert.deepEqual(eventsOf(pli), [['pli', 0xcafe_babe]]);
  });

  it('does not take padding for content', () => {
    const padded = packet(1, 205, `${peer}${own}00640000`, 8);
    assert.deepEqual(eventsOf(padded), [['nack', 0xcafe_babe, [100]]]);
  });

  it('refuses padding on a packet that is not the last, or more of it than there is', () => {
    const padded = packet(1, 206, peer + own, 4);
    assert.equal(eventsOf(Buffer.concat([padded, pli])), undefined);
    const lying = Buffer.from(padded);
    for (const padding of [0, 3, 8, 12, 16, 252]) {
      lying[lying.length - 1] = padding;
      assert.equal(eventsOf(lying), undefined, `padding ${padding}`);
    }
  });

  it('refuses the whole compound packet when one length lies, before any event', () => {
    for (const words of [0, 1, 2, 4, 100, 0xffff]) {
      const lying = Buffer.concat([pli, nack('00640000')]);
      lying.writeUInt16BE(words, pli.length + 2);
      assert.equal(eventsOf(lying), undefined, `${words} words`);
    }
  });

  it('refuses counts that the length does not hold', () => {
    for (const [count, type, body] of [
      [2, 201, peer + block],
      [31, 201, peer],
      [1, 200, peer + block],
      [2, 203, peer],
      [1, 205, peer],
      [1, 206, peer],
    ] as const)
      assert.equal(eventsOf(packet(count, type, body)), undefined, `${type} with ${count}`);
  });

  it('refuses truncated packets, whatever the cut', () => {
    const compound = Buffer.concat([packet(1, 201, peer + block), nack('00640000')]);
    for (let length = 0; length < compound.length; length++) {
      const events = eventsOf(compound.subarray(0, length));
      if (events) assert.equal(length, 32, 'only the whole first packet is one');
    }
  });

  it('refuses other versions, types that are no RTCP, and more than any peer sends', () => {
    const rtp = Buffer.from(pli);
    rtp[1] = 96;
    assert.equal(eventsOf(rtp), undefined);
    const version = Buffer.from(pli);
    version[0] = 0x41;
    assert.equal(eventsOf(version), undefined);
    assert.equal(
      eventsOf(Buffer.concat(Array.from({ length: rtcpBytesMax / 12 + 1 }, () => pli))),
      undefined,
    );
  });

  it('names no more than its bound of lost packets for one datagram', () => {
    const flood = Buffer.concat([nack('0000ffff'.repeat(200)), nack('8000ffff'.repeat(200))]);
    const events = eventsOf(flood)!;
    const named = events.reduce((sum, event) => sum + (event[2] as number[]).length, 0);
    assert.equal(named, nackedPacketsMax);
  });

  it('starts each compound packet with the full bound', () => {
    const parser = new RtcpParser();
    let named = 0;
    const ignore = (): void => undefined;
    const visitor: RtcpVisitor = {
      onReportBlock: ignore,
      onNack: (_ssrc, _numbers, count) => {
        named += count;
      },
      onPictureLoss: ignore,
      onFullIntraRequest: ignore,
      onGoodbye: ignore,
    };
    for (let k = 0; k < 3; k++) parser.parse(nack('0000ffff'.repeat(100)), visitor);
    assert.equal(named, 3 * nackedPacketsMax);
  });

  it('never throws or reads beyond the packet on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        eventsOf(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws or reads beyond the packet on mutated packets', () => {
    const whole = Buffer.concat([packet(1, 201, peer + block), sdes, nack('00640000'), remb, fir, pli, bye]);
    const mutation = fc.record({
      edits: fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
      length: fc.nat(whole.length),
    });
    fc.assert(
      fc.property(mutation, ({ edits, length }) => {
        // The bytes behind the packet are filled with what would show as an event if it were read.
        const around = Buffer.alloc(whole.length + 400, 0x77);
        whole.copy(around, 0, 0, length);
        const bytes = around.subarray(0, length);
        for (const [at, value] of edits) if (at < length) bytes[at] = value;
        for (const event of eventsOf(bytes) ?? [])
          if (event[0] !== 'report') assert.notEqual(event[1], 0x7777_7777);
      }),
      { numRuns: 3000 },
    );
  });
});
