/**
 * RTP payloads → H.264 NAL units, written from RFC 6184 and independently of src: strict, for tests. Throws an Error
 * for whatever the RFC forbids in packetization-mode 1.
 */

/** The NAL units in the payloads of one access unit, in order. */
export function depayloadH264(payloads: readonly Uint8Array[]): Uint8Array[] {
  const units: Uint8Array[] = [];
  let fragments: number[] | undefined;
  for (const payload of payloads) {
    const type = payload[0]! & 31;
    if (fragments && type !== 28) throw new Error('a fragmented unit was not finished');
    if (type >= 1 && type <= 23) {
      units.push(payload);
    } else if (type === 24) {
      units.push(...stapA(payload));
    } else if (type === 28) {
      const start = payload[1]! >= 128;
      const end = (payload[1]! & 64) !== 0;
      if (start && end) throw new Error('start and end bit in one fragment (5.8)');
      if ((payload[1]! & 32) !== 0) throw new Error('the reserved bit is set (5.8)');
      if (payload.length < 3) throw new Error('empty fragment');
      if (start !== (fragments === undefined)) throw new Error('start bit at the wrong place');
      fragments ??= [(payload[0]! & 0b11100000) + (payload[1]! & 31)];
      const header = fragments[0]!;
      if (header !== (payload[0]! & 0b11100000) + (payload[1]! & 31)) throw new Error('mixed fragments');
      for (let i = 2; i < payload.length; i++) fragments.push(payload[i]!);
      if (end) {
        units.push(Uint8Array.from(fragments));
        fragments = undefined;
      }
    } else {
      throw new Error(`payload type ${type} does not belong to packetization-mode 1`);
    }
  }
  if (fragments) throw new Error('a fragmented unit was not finished');
  return units;
}

function stapA(payload: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let rest = payload.subarray(1);
  while (rest.length > 0) {
    const size = rest[0]! * 256 + rest[1]!;
    if (size === 0 || size > rest.length - 2) throw new Error('a size overruns the STAP-A');
    units.push(rest.subarray(2, 2 + size));
    rest = rest.subarray(2 + size);
  }
  if (units.length < 2) throw new Error('a STAP-A that saves nothing');
  const f = units.some(unit => unit[0]! >= 128) ? 4 : 0;
  const nri = Math.max(...units.map(unit => (unit[0]! >> 5) & 3));
  if (payload[0]! >> 5 !== f + nri) throw new Error('F or NRI of the STAP-A is wrong (5.7)');
  return units;
}
