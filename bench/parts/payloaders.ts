/**
 * What does it cost to split a picture into RTP packets? Once for all viewers: a picture of 30 packets and a key picture of
 * 100 in H.264 (RFC 6184) and H.265 (RFC 7798), and 20 ms of G.711.
 */
import { G711Payloader } from '../../src/rtp/g711-payloader.ts';
import { H264Payloader } from '../../src/rtp/h264-payloader.ts';
import { H265Payloader } from '../../src/rtp/h265-payloader.ts';
import { PacketTable } from '../../src/rtp/packet-table.ts';
import type { Payloader, PayloadSource } from '../../src/rtp/payloader.ts';
import type { Part } from '../context.ts';
import { type MicroCase, measureCases } from '../support/micro-benchmark.ts';

const maxPayloadBytes = 1200;
/** Bytes of a whole FU-A or FU payload less its prefix, about. */
const fragmentBytes = 1197;

export const payloadersPart: Part = {
  names: ['payloaders'],
  run: context => measureCases(context, 'payloaders', cases()),
};

function cases(): MicroCase[] {
  const table = new PacketTable();
  const h264 = { id: 'h264', name: 'H.264', payloader: new H264Payloader() };
  const h265 = { id: 'h265', name: 'H.265', payloader: new H265Payloader() };
  const videoCases = [h264, h265].flatMap(({ id, name, payloader }) => {
    const [slice, sets] = id === 'h264' ? [0x41, [0x67, 0x68]] : [0x02, [0x40, 0x42, 0x44]];
    const key = id === 'h264' ? 0x65 : 0x26;
    const parameterSets = sets.map(header => unitOf(header, 24));
    const picture = sourceOf([unitOf(slice, 30 * fragmentBytes - 10)]);
    const keyPicture = sourceOf([...parameterSets, unitOf(key, 100 * fragmentBytes - 10)]);
    return [
      splitCase(`payloaders.${id}.picture`, `${name}, a picture of 30 packets`, payloader, picture, table),
      splitCase(
        `payloaders.${id}.key`,
        `${name}, a key picture of 101 packets`,
        payloader,
        keyPicture,
        table,
      ),
    ];
  });
  const sound = sourceOf([unitOf(0xff, 160)]);
  return [...videoCases, splitCase('payloaders.g711', 'G.711, 20 ms', new G711Payloader(), sound, table)];
}

function splitCase(
  id: string,
  name: string,
  payloader: Payloader,
  source: PayloadSource,
  table: PacketTable,
): MicroCase {
  return {
    ...{ id, name, unit: 'ns', better: 'lower' },
    scale: seconds => seconds * 1e9,
    run: () => payloader.split(source, maxPayloadBytes, table),
  };
}

function unitOf(header: number, lengthBytes: number): Uint8Array {
  const unit = new Uint8Array(lengthBytes).fill(0x55);
  unit[0] = header;
  unit[1] = 1;
  return unit;
}

/** As a ring record: units behind lengths of four bytes. */
function sourceOf(units: readonly Uint8Array[]): PayloadSource {
  const bytes = new Uint8Array(new SharedArrayBuffer(units.reduce((sum, { length }) => sum + 4 + length, 0)));
  const starts = new Int32Array(units.length);
  const ends = new Int32Array(units.length);
  let at = 0;
  for (const [i, unit] of units.entries()) {
    bytes.set(unit, at + 4);
    starts[i] = at + 4;
    at += 4 + unit.length;
    ends[i] = at;
  }
  return { bytes, nalCount: units.length, nalStart: i => starts[i]!, nalEnd: i => ends[i]! };
}
