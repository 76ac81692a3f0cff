import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ntpFraction, ntpMiddle, ntpSeconds, roundTripMs, unixMsOfNtp } from '../../src/rtp/ntp.ts';

describe('NTP timestamps', () => {
  it('counts seconds from 1900', () => {
    assert.equal(ntpSeconds(0), 2_208_988_800);
    assert.equal(ntpSeconds(Date.UTC(2022, 1, 2)), 3_852_748_800);
  });

  it('gives the fraction of the second in units of 2^-32, not zero', () => {
    assert.equal(ntpFraction(1_600_000_000_500), 0x8000_0000);
    assert.equal(ntpFraction(1_600_000_000_250), 0x4000_0000);
    assert.equal(ntpFraction(1_600_000_000_000), 0);
    assert.equal(ntpFraction(999.9999999), 0xffff_ffff);
  });

  it('comes back as the Unix time it was made of, to the microsecond', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 4e12, noNaN: true }), unixMs => {
        const back = unixMsOfNtp(ntpSeconds(unixMs), ntpFraction(unixMs));
        // The double itself has a grain of half a microsecond up there.
        assert.ok(Math.abs(back - unixMs) < 0.001, `${unixMs} became ${back}`);
      }),
    );
  });

  it('never has a fraction that belongs to the next second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), second => {
        const justBefore = second * 1000 + 999.999;
        assert.equal(ntpSeconds(justBefore), (second + 2_208_988_800) % 2 ** 32);
        assert.ok(ntpFraction(justBefore) < 2 ** 32);
      }),
    );
  });

  it('wraps into era 1 in February 2036', () => {
    assert.equal(ntpSeconds(Date.UTC(2036, 1, 7, 6, 28, 16)), 0);
    assert.equal(unixMsOfNtp(0, 0), Date.UTC(2036, 1, 7, 6, 28, 16));
  });

  it('takes the middle 32 bits for reports', () => {
    assert.equal(ntpMiddle(0xb705_2000, 0x4000_0000), 0x2000_4000);
    assert.equal(ntpMiddle(0x1234_ffff, 0xffff_8000), 0xffff_ffff);
  });
});

describe('roundTripMs', () => {
  it('is the example of RFC 3550 §6.4.1', () => {
    assert.equal(roundTripMs(0xb710_8000, 0xb705_2000, 0x0005_4000), 6125);
  });

  it('is unknown before the peer has seen a report', () => {
    assert.equal(roundTripMs(0xb710_8000, 0, 0), undefined);
  });

  it('is right across the wrap of the middle bits', () => {
    assert.equal(roundTripMs(0x0000_8000, 0xffff_8000, 0), 1000);
  });

  it('takes a slightly negative result for zero and a nonsensical one for unknown', () => {
    assert.equal(roundTripMs(1000, 1000, 60), 0);
    assert.equal(roundTripMs(1000, 1000, 65536), undefined);
    assert.equal(roundTripMs(100 * 65536, 1, 0), undefined);
  });
});
