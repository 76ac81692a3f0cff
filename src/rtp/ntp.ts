/**
 * NTP timestamps (RFC 5905 §6) as RTP uses them: 32 bits of seconds since 1900-01-01 and 32 bits of fraction.
 *
 * Sender reports (RFC 3550 §6.4.1) and abs-capture-time carry all 64 bits; LSR and DLSR (§6.4.1) the middle 32, in
 * units of 1/65536 s. Two numbers rather than a bigint or an object: nothing is allocated. Seconds wrap in 2036 (era
 * 1), which is what the wire does too. Pure; any thread.
 */

/** Seconds from 1900-01-01 to 1970-01-01: 70 years with 17 leap days. */
const unixEpochNtpSeconds = 2_208_988_800;
const fractionsPerMs = 2 ** 32 / 1000;

/** Whole NTP seconds, unsigned 32 bits, of a Unix time in ms (fractions allowed). */
export function ntpSeconds(unixMs: number): number {
  return (Math.floor(unixMs / 1000) + unixEpochNtpSeconds) >>> 0;
}

/** NTP fraction of a second, unsigned 32 bits (units of 2^-32 s), of a Unix time in ms (fractions allowed). */
export function ntpFraction(unixMs: number): number {
  const msOfSecond = unixMs - 1000 * Math.floor(unixMs / 1000);
  // Rounded down, so that it never becomes 2^32 and with it a second too few.
  return Math.floor(msOfSecond * fractionsPerMs) >>> 0;
}

/** Unix time in ms of an NTP timestamp; seconds below 2^31 are taken for era 1 (2036 and later), as RFC 4330 §3 says. */
export function unixMsOfNtp(seconds: number, fraction: number): number {
  const era1 = seconds < 2 ** 31 ? 2 ** 32 : 0;
  return (seconds + era1 - unixEpochNtpSeconds) * 1000 + fraction / fractionsPerMs;
}

/** The middle 32 bits of an NTP timestamp, unsigned: what a receiver returns as LSR. */
export function ntpMiddle(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/**
 * Round-trip time in ms by RFC 3550 §6.4.1, from the middle of the NTP time at which a report block arrived and the
 * block's LSR and DLSR (all unsigned 32 bits, 1/65536 s). `undefined` when the peer has seen no report yet (LSR 0) or
 * the three contradict each other by more than the clocks' grain: a wall clock that stepped, or a peer that lies.
 */
export function roundTripMs(arrivalMiddle: number, lsr: number, dlsr: number): number | undefined {
  if (lsr === 0) return undefined;
  const units = (arrivalMiddle - lsr - dlsr) | 0;
  if (units < -negativeGrainUnits || units > roundTripUnitsMax) return undefined;
  return (Math.max(0, units) * 1000) / 65536;
}

/** 2 ms: roundings of both sides may make a round trip within one machine slightly negative. */
const negativeGrainUnits = 131;
/** One minute: no session lives with more, so it can only be nonsense. */
const roundTripUnitsMax = 60 * 65536;
