import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  goodbyeBytes,
  senderReportBytes,
  sourceDescriptionBytes,
  writeSenderCompound,
  writeSenderReport,
  writeSourceDescription,
} from '../../src/rtp/rtcp-writer.ts';

const report = {
  ssrc: 0xcafe_babe,
  ntpSeconds: 0xe6b1_2345,
  ntpFraction: 0x8000_0000,
  rtpTimestamp: 0xffff_fffe,
  packetCount: 1000,
  octetCount: 0x0012_0000,
};
const cname = new TextEncoder().encode('camera');

describe('the RTCP writers', () => {
  it('write a sender report as RFC 3550 §6.4.1 draws it', () => {
    const target = new Uint8Array(senderReportBytes);
    assert.equal(writeSenderReport(target, 0, report), 28);
    assert.equal(
      Buffer.from(target).toString('hex'),
      '80c80006cafebabee6b1234580000000fffffffe000003e800120000',
    );
  });

  it('write a source description whose items end with a zero byte and a whole word', () => {
    for (let length = 0; length <= 255; length++) {
      const bytes = sourceDescriptionBytes(length);
      const target = new Uint8Array(bytes + 1).fill(0xee);
      assert.equal(writeSourceDescription(target, 0, 7, new Uint8Array(length).fill(0x61)), bytes);
      assert.equal(bytes % 4, 0);
      assert.equal((target[2]! << 8) | target[3]!, bytes / 4 - 1);
      assert.deepEqual([...target.subarray(8, 10)], [1, length]);
      const padding = target.subarray(10 + length, bytes);
      assert.ok(padding.length >= 1 && padding.length <= 4 && padding.every(byte => byte === 0));
      assert.equal(target[bytes], 0xee);
    }
  });

  it('write SR, SDES and BYE of one stream behind one another', () => {
    const target = new Uint8Array(200);
    const open = writeSenderCompound(target, 4, report, cname, false);
    assert.equal(open, senderReportBytes + sourceDescriptionBytes(cname.length));
    const closed = writeSenderCompound(target, 4, report, cname, true);
    assert.equal(closed, open + goodbyeBytes);
    const view = Buffer.from(target.buffer, 4, closed);
    const types: number[] = [];
    for (let at = 0; at < view.length; at += 4 * (view.readUInt16BE(at + 2) + 1)) types.push(view[at + 1]!);
    assert.deepEqual(types, [200, 202, 203]);
    assert.equal(view.subarray(-8).toString('hex'), '81cb0001cafebabe');
  });
});
