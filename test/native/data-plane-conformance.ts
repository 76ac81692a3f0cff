/**
 * What every data plane has to do, whatever it is made of: the same tests for each. Packets are looked at by an SRTP
 * receiver and depayloaders that were written from the standards; here they leave by `send`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DataPlane, PacketRun } from '../../src/native/data-plane.ts';
import { H264Payloader } from '../../src/rtp/h264-payloader.ts';
import { H265Payloader } from '../../src/rtp/h265-payloader.ts';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import { makeKeys, nalUnit, type Profile, profiles } from '../live/live-fixture.ts';
import { depayloadH264 } from '../support/h264-depayloader.ts';
import { depayloadH265 } from '../support/h265-depayloader.ts';
import { recordOf } from '../support/nal-source.ts';
import { SrtpReceiver } from '../support/srtp-receiver.ts';

const ssrc = 0xfedcba98;

/** A run of all packets of an H.264 picture. */
export function runOf(
  units: readonly Uint8Array[],
  maxPayloadBytes: number,
  overrides: Partial<PacketRun> = {},
) {
  const source = recordOf(units);
  const table = new PacketTable();
  new H264Payloader().split(source, maxPayloadBytes, table);
  return {
    bytes: source.bytes,
    table,
    firstPacket: 0,
    packetCount: table.count,
    firstIndex: 7,
    rtpTimestamp: 0x89abcdef,
    captureWallUnixMs: 1_700_000_000_250,
    isIntact: () => true,
    ...overrides,
  };
}

/** Tests the planes that `makePlane` gives. */
export function describeDataPlane(name: string, makePlane: () => DataPlane): void {
  /** One stream on a plane of its own, and what it handed to the network. */
  function makeStream(profile: Profile, marksFrameEnd = true, extensions = false) {
    const keys = makeKeys(profile);
    const plane = makePlane();
    const sent: Uint8Array[] = [];
    const stream = plane.openStream({
      profile,
      keys,
      header: {
        ssrc,
        payloadType: 97,
        playoutDelay: extensions ? { id: 3, minMs: 0, maxMs: 0 } : undefined,
        absCaptureTimeId: extensions ? 5 : undefined,
      },
      marksFrameEnd,
      send: packet => sent.push(packet),
    });
    return { plane, stream, sent, keys };
  }

  describe(name, () => {
    for (const profile of profiles) {
      for (const [name, payloader, depayload, headers] of [
        ['H.264', new H264Payloader(), depayloadH264, [[0x67], [0x68], [0x65], [0x41]]],
        [
          'H.265',
          new H265Payloader(),
          depayloadH265,
          [
            [0x40, 1],
            [0x42, 1],
            [0x26, 1],
            [2, 1],
          ],
        ],
      ] as const)
        it(`sends packets that open to the NAL units of the record: ${name}, ${profile}`, () => {
          fc.assert(
            fc.property(
              fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 4, max: 4000 })), {
                minLength: 1,
                maxLength: 8,
              }),
              fc.integer({ min: 60, max: 1400 }),
              fc.integer({ min: 0, max: 2 ** 48 - 1000 }),
              (shape, maxPayloadBytes, firstIndex) => {
                const units = shape.map(([header, length], i) => nalUnit(headers[header]!, length, i));
                const source = recordOf(units);
                const table = new PacketTable();
                payloader.split(source, maxPayloadBytes, table);
                const { plane, stream, sent, keys } = makeStream(profile);
                const run = runOf([nalUnit([0x41], 5, 0)], 100, {
                  bytes: source.bytes,
                  table,
                  packetCount: table.count,
                  firstIndex,
                });
                assert.equal(plane.send(stream, run), true);
                assert.equal(sent.length, table.count);
                const receiver = new SrtpReceiver(profile, keys, Math.floor(firstIndex / 65536));
                const payloads = sent.map((srtp, i) => {
                  const opened = receiver.unprotect(srtp);
                  assert.ok(opened, 'the tag is wrong');
                  assert.equal(opened.index, firstIndex + i);
                  assert.equal(opened.packet.readUInt32BE(4), 0x89abcdef);
                  assert.equal(opened.packet.readUInt32BE(8), ssrc);
                  assert.equal(opened.packet[1]! & 0x7f, 97);
                  assert.equal(opened.packet[1]! >= 128, i === table.count - 1);
                  return opened.packet.subarray(12);
                });
                assert.ok(payloads.every(payload => payload.length <= maxPayloadBytes));
                assert.deepEqual(
                  depayload(payloads).map(unit => Buffer.from(unit)),
                  units.map(unit => Buffer.from(unit)),
                );
              },
            ),
            { numRuns: 60 },
          );
        });

      it(`goes over the roll-over of the sequence number within a run: ${profile}`, () => {
        const { plane, stream, sent, keys } = makeStream(profile);
        const firstIndex = 5 * 65536 - 3;
        plane.send(stream, runOf([nalUnit([0x65], 5000, 1)], 500, { firstIndex }));
        const receiver = new SrtpReceiver(profile, keys, 4);
        const indexes = sent.map(srtp => receiver.unprotect(srtp)?.index);
        assert.ok(indexes.length > 6);
        assert.deepEqual(
          indexes,
          indexes.map((_, i) => firstIndex + i),
        );
      });

      it(`makes the same datagrams again for the same run: ${profile}`, () => {
        const { plane, stream, sent } = makeStream(profile, true, true);
        const run = runOf([nalUnit([0x67], 30, 1), nalUnit([0x68], 6, 1), nalUnit([0x65], 3000, 1)], 500);
        plane.send(stream, run);
        const first = sent.splice(0).map(packet => Buffer.from(packet).toString('hex'));
        plane.send(stream, { ...run, firstIndex: 60_000, rtpTimestamp: 1, captureWallUnixMs: 5 });
        sent.length = 0;
        for (const i of first.keys())
          plane.send(stream, { ...run, firstPacket: i, packetCount: 1, firstIndex: run.firstIndex + i });
        assert.deepEqual(
          sent.map(packet => Buffer.from(packet).toString('hex')),
          first,
        );
      });
    }

    it('sends the pieces of a frame with the marker bit on the last packet of the frame alone', () => {
      const { plane, stream, sent } = makeStream(profiles[0]);
      const run = runOf([nalUnit([0x65], 5000, 1)], 500);
      const half = run.table.count >> 1;
      plane.send(stream, { ...run, packetCount: half });
      const rest = { firstPacket: half, packetCount: run.table.count - half, firstIndex: 7 + half };
      plane.send(stream, { ...run, ...rest });
      assert.deepEqual(
        sent.map(packet => packet[1]! >= 128),
        sent.map((_, i) => i === run.table.count - 1),
      );
    });

    it('sets no marker bit in a stream without frame ends', () => {
      const { plane, stream, sent } = makeStream(profiles[0], false);
      plane.send(stream, runOf([nalUnit([0x65], 2000, 1)], 500));
      assert.ok(sent.length > 1 && sent.every(packet => packet[1]! < 128));
    });

    it('puts playout delay and capture time into every packet, in the clear', () => {
      const { plane, stream, sent } = makeStream(profiles[0], true, true);
      plane.send(stream, runOf([nalUnit([0x65], 1200, 1)], 500));
      for (const packet of sent) {
        const bytes = Buffer.from(packet);
        assert.equal(bytes[0], 0x90);
        assert.equal(bytes.toString('hex', 12, 20), 'bede000432000000');
        assert.equal(bytes[20], 0x57, 'element 5 of 8 bytes');
        // 1,700,000,000.25 s of Unix time, and 70 years with 17 leap days.
        assert.equal(bytes.readUInt32BE(21), 1_700_000_000 + 2_208_988_800);
        assert.equal(bytes.readUInt32BE(25), 0x4000_0000);
      }
    });

    it('asks whether the frame is intact once, after encrypting all of it and before sending any of it', () => {
      const { plane, stream, sent, keys } = makeStream(profiles[0]);
      const unit = nalUnit([0x65], 5000, 1);
      const run = runOf([unit], 500);
      let asked = 0;
      plane.send(stream, {
        ...run,
        isIntact: () => {
          asked++;
          assert.equal(sent.length, 0);
          // What is encrypted after this would be zeros.
          run.bytes.fill(0);
          return true;
        },
      });
      assert.equal(asked, 1);
      const receiver = new SrtpReceiver(profiles[0], keys);
      const payloads = sent.map(srtp => receiver.unprotect(srtp)!.packet.subarray(12));
      assert.deepEqual(depayloadH264(payloads), [unit]);
    });

    it('sends nothing of a frame that was not intact, and nothing of it later either', () => {
      const { plane, stream, sent, keys } = makeStream(profiles[1]);
      const torn = runOf([nalUnit([0x65], 5000, 1)], 500, { isIntact: () => false });
      assert.equal(plane.send(stream, torn), false);
      assert.equal(sent.length, 0);
      const unit = nalUnit([0x41], 300, 2);
      const firstIndex = torn.firstIndex + torn.packetCount;
      assert.equal(plane.send(stream, runOf([unit], 500, { firstIndex })), true);
      assert.equal(sent.length, 1);
      const opened = new SrtpReceiver(profiles[1], keys).unprotect(sent[0]!);
      assert.deepEqual(opened?.packet.subarray(12), Buffer.from(unit));
    });

    it('gives every datagram memory of its own: the network may still hold the last ones', () => {
      const { plane, stream, sent } = makeStream(profiles[1]);
      const run = runOf([nalUnit([0x65], 5000, 1)], 500);
      plane.send(stream, run);
      const before = sent.map(packet => Buffer.from(packet).toString('hex'));
      for (let i = 1; i < 20; i++) plane.send(stream, { ...run, firstIndex: run.firstIndex + 1000 * i });
      assert.deepEqual(
        sent.slice(0, before.length).map(packet => Buffer.from(packet).toString('hex')),
        before,
      );
    });

    it('takes the last index there is, and none behind it', () => {
      for (const profile of profiles) {
        const { plane, stream, sent, keys } = makeStream(profile);
        const run = runOf([nalUnit([0x65], 3000, 1)], 500);
        const firstIndex = 2 ** 48 - run.packetCount;
        plane.send(stream, { ...run, firstIndex });
        const receiver = new SrtpReceiver(profile, keys, 2 ** 32 - 1);
        const indexes = sent.map(srtp => receiver.unprotect(srtp)?.index);
        assert.equal(indexes.at(-1), 2 ** 48 - 1);
        sent.length = 0;
        for (const wrong of [firstIndex + 1, 2 ** 48, -1, 0.5, Number.NaN])
          assert.throws(() => plane.send(stream, { ...run, firstIndex: wrong }), String(wrong));
        assert.equal(sent.length, 0);
      }
    });

    it('sends sound and aggregation packets as their tables say: a prefix alone, a body alone, both', () => {
      for (const profile of profiles) {
        const { plane, stream, sent, keys } = makeStream(profile);
        const table = new PacketTable();
        table.prefixes.set([1, 2, 3, 4], table.reservePrefix(4));
        table.add(0, 4, 0, 0);
        table.add(0, 0, 5, 7);
        table.add(1, 3, 2, 1);
        const bytes = Uint8Array.from({ length: 20 }, (_, i) => 100 + i);
        plane.send(stream, runOf([nalUnit([0x41], 5, 0)], 100, { bytes, table, packetCount: 3 }));
        const receiver = new SrtpReceiver(profile, keys);
        assert.deepEqual(
          sent.map(srtp => [...receiver.unprotect(srtp)!.packet.subarray(12)]),
          [
            [1, 2, 3, 4],
            [105, 106, 107, 108, 109, 110, 111],
            [2, 3, 4, 102],
          ],
        );
      }
    });

    it('sends runs of more and of larger packets than live view has', () => {
      const { plane, stream, sent, keys } = makeStream(profiles[0]);
      const unit = nalUnit([0x65], 400_000, 3);
      plane.send(stream, runOf([unit], 1400));
      const receiver = new SrtpReceiver(profiles[0], keys);
      const payloads = sent.map(srtp => receiver.unprotect(srtp)!.packet.subarray(12));
      assert.ok(payloads.length > 256);
      assert.deepEqual(depayloadH264(payloads), [unit]);
    });
  });
}
