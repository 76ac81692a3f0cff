/**
 * What every payloader must do, whatever its codec: one suite, run by the three payloader tests. The units come back
 * through a depayloader that was written from the RFC without looking at src.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import type { Payloader, PayloadSource } from '../../src/rtp/payloader.ts';
import { recordOf } from '../support/nal-source.ts';

export interface PayloaderSubject {
  readonly name: string;
  create(): Payloader;
  depayload(payloads: readonly Uint8Array[]): Uint8Array[];
  /** A valid unit of `length` bytes (at least 4), its content from `seed`. */
  unit(length: number, seed: number): Uint8Array;
  /** Units in a record: video has many, audio one. */
  readonly unitsMax: number;
  /** What the units must be when they come back: audio has no borders between packets. */
  expected?(units: readonly Uint8Array[]): Uint8Array[];
}

/** The payloads of one record, each copied out as it would be sent. */
export function payloadsOf(payloader: Payloader, source: PayloadSource, limit: number): Uint8Array[] {
  const table = new PacketTable();
  const count = payloader.split(source, limit, table);
  assert.equal(count, table.count);
  return Array.from({ length: count }, (_, i) => {
    const payload = new Uint8Array(table.payloadLength(i));
    assert.equal(table.copyPayload(i, source.bytes, payload, 0), payload.length);
    return payload;
  });
}

export function describePayloader(subject: PayloaderSubject): void {
  const unitsOf = (shape: readonly (readonly [number, number])[]): Uint8Array[] =>
    shape.map(([length, seed]) => subject.unit(length, seed));
  const shapes = fc.array(fc.tuple(fc.integer({ min: 4, max: 6000 }), fc.nat()), {
    minLength: 1,
    maxLength: subject.unitsMax,
  });
  const smallShapes = fc.array(fc.tuple(fc.integer({ min: 4, max: 60 }), fc.nat()), {
    minLength: 1,
    maxLength: subject.unitsMax,
  });
  const limits = fc.integer({ min: 4, max: 1400 });
  const anyShapes = fc.oneof(shapes, smallShapes);

  describe(`${subject.name}: the contract of payloaders`, () => {
    it('gives payloads from which a receiver rebuilds every byte', () => {
      fc.assert(
        fc.property(anyShapes, limits, (shape, limit) => {
          const units = unitsOf(shape);
          const rebuilt = subject.depayload(payloadsOf(subject.create(), recordOf(units), limit));
          assert.deepEqual(
            rebuilt.map(unit => Buffer.from(unit).toString('hex')),
            (subject.expected?.(units) ?? units).map(unit => Buffer.from(unit).toString('hex')),
          );
        }),
        { numRuns: 300 },
      );
    });

    it('never makes a payload larger than the limit, nor an empty one', () => {
      fc.assert(
        fc.property(anyShapes, limits, (shape, limit) => {
          for (const payload of payloadsOf(subject.create(), recordOf(unitsOf(shape)), limit)) {
            assert.ok(payload.length <= limit, `${payload.length} bytes, limit ${limit}`);
            assert.ok(payload.length > 0);
          }
        }),
        { numRuns: 200 },
      );
    });

    it('gives the same packets for the same record, also from a table that was used before', () => {
      fc.assert(
        fc.property(anyShapes, anyShapes, limits, (before, shape, limit) => {
          const payloader = subject.create();
          const record = recordOf(unitsOf(shape));
          const reused = new PacketTable();
          payloader.split(recordOf(unitsOf(before)), limit, reused);
          payloader.split(record, limit, reused);
          const payloads = payloadsOf(subject.create(), record, limit);
          assert.equal(reused.count, payloads.length);
          for (const [i, payload] of payloads.entries()) {
            const again = new Uint8Array(reused.payloadLength(i));
            reused.copyPayload(i, record.bytes, again, 0);
            assert.deepEqual(again, payload);
          }
        }),
        { numRuns: 100 },
      );
    });

    it('cuts one large unit into equally long payloads, the last one shorter at most', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1401, max: 60_000 }),
          fc.integer({ min: 500, max: 1400 }),
          (length, limit) => {
            const payloads = payloadsOf(subject.create(), recordOf([subject.unit(length, 1)]), limit);
            const first = payloads[0]!.length;
            for (const payload of payloads.slice(0, -1)) assert.equal(payload.length, first);
            assert.ok(payloads.at(-1)!.length <= first);
            assert.ok(first - payloads.at(-1)!.length < payloads.length, 'the last is shorter by some bytes');
          },
        ),
      );
    });

    it('needs no more packets for one large unit than the limit demands', () => {
      const overhead = 3;
      for (const length of [1401, 3000, 10_000, 100_000, 2_000_000]) {
        const payloads = payloadsOf(subject.create(), recordOf([subject.unit(length, 1)]), 1200);
        assert.ok(payloads.length <= Math.ceil(length / (1200 - overhead)));
      }
    });

    it('leaves the bytes of the record where they are: only aggregated units are copied', () => {
      const table = new PacketTable();
      subject.create().split(recordOf([subject.unit(50_000, 1)]), 1200, table);
      let bodyBytes = 0;
      for (let i = 0; i < table.count; i++) {
        assert.ok(table.rows[4 * i + 1]! <= 3, 'a prefix of three bytes at most');
        bodyBytes += table.rows[4 * i + 3]!;
      }
      assert.ok(bodyBytes >= 50_000 - 2);
    });

    it('allocates no table memory for a record no larger than one before', () => {
      const payloader = subject.create();
      const table = new PacketTable();
      const record = recordOf([subject.unit(200_000, 1)]);
      payloader.split(record, 1200, table);
      const { rows, prefixes } = table;
      for (let k = 0; k < 100; k++) payloader.split(record, 1200, table);
      assert.equal(table.rows, rows);
      assert.equal(table.prefixes, prefixes);
    });

    it('makes no packet of an empty record', () => {
      assert.equal(subject.create().split(recordOf([]), 1200, new PacketTable()), 0);
    });

    it('refuses a payload limit that no packet could keep', () => {
      for (const limit of [0, 3, -1, 1.5, Number.NaN, 70_000])
        assert.throws(
          () => subject.create().split(recordOf([subject.unit(100, 1)]), limit, new PacketTable()),
          { code: 'internal' },
        );
    });

    it('keeps to the limit when the record is overwritten while it is read', () => {
      // A reader's offsets may jump when the ring laps it; what comes out is worthless but must stay bounded.
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat(3000)), limits, (numbers, limit) => {
          const bytes = new Uint8Array(3000);
          const next = (): number => numbers.next().value as number;
          const torn: PayloadSource = {
            bytes,
            get nalCount() {
              return 5;
            },
            nalStart: () => {
              for (let k = 0; k < bytes.length; k += 97) bytes[k] = next();
              return next();
            },
            nalEnd: next,
          };
          const table = new PacketTable();
          subject.create().split(torn, limit, table);
          for (let i = 0; i < table.count; i++) assert.ok(table.payloadLength(i) <= limit);
        }),
        { numRuns: 100 },
      );
    });
  });
}
