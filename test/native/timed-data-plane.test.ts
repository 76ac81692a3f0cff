/** The clock of these tests is set by hand: it moves when a fake plane works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataPlane, DataPlaneStream, PacketRun } from '../../src/native/data-plane.ts';
import { TimedDataPlane } from '../../src/native/timed-data-plane.ts';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import { quantile } from '../../src/telemetry/histogram.ts';

const stream: DataPlaneStream = { ssrc: 7 };

function made({ isIntact = true, asks = true } = {}) {
  const clock = { us: 1000 };
  const seen: PacketRun[] = [];
  const plane: DataPlane = {
    name: 'native',
    openStream: () => stream,
    send(_, run) {
      seen.push({ ...run, isIntact: () => true });
      clock.us += 40;
      if (!asks || !run.isIntact()) return false;
      clock.us += 900;
      return true;
    },
  };
  const timed = new TimedDataPlane(plane, () => clock.us);
  const run: PacketRun = {
    bytes: Uint8Array.of(1, 2, 3),
    table: new PacketTable(),
    ...{ firstPacket: 2, packetCount: 3, firstIndex: 70_000, rtpTimestamp: 9, captureWallUnixMs: 8 },
    isIntact: () => isIntact,
  };
  return { timed, run, seen };
}

test('hands on what it is given, and the answer', () => {
  const { timed, run, seen } = made();
  assert.equal(timed.name, 'native');
  assert.equal(timed.send(stream, run), true);
  const [{ isIntact: _, ...given }] = seen as [PacketRun];
  const { isIntact: __, ...expected } = run;
  for (const [key, value] of Object.entries(expected))
    assert.equal((given as unknown as Record<string, unknown>)[key], value, key);
  assert.equal(made({ isIntact: false }).timed.send(stream, made({ isIntact: false }).run), false);
});

test('parts encryption and sending at the question whether the frame was intact', () => {
  const { timed, run } = made();
  timed.send(stream, run);
  const [encrypt, handOver] = [timed.encryptUs.snapshot(), timed.handOverUs.snapshot()];
  assert.deepEqual([encrypt.sum, handOver.sum], [40, 900]);
  assert.ok(Math.abs(quantile(encrypt, 1) - 40) < 20);
});

test('a torn frame counts as encrypted alone, and a run that was never asked about not at all', () => {
  const torn = made({ isIntact: false });
  torn.timed.send(stream, torn.run);
  assert.deepEqual([torn.timed.encryptUs.count, torn.timed.handOverUs.count], [1, 0]);
  const silent = made({ asks: false });
  silent.timed.send(stream, silent.run);
  assert.deepEqual([silent.timed.encryptUs.count, silent.timed.handOverUs.count], [0, 0]);
});

test('forgets what warmed it up', () => {
  const { timed, run } = made();
  timed.send(stream, run);
  timed.reset();
  assert.deepEqual([timed.encryptUs.count, timed.handOverUs.count], [0, 0]);
});
