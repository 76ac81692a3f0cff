/**
 * RTP payloads → H.265 NAL units, written from RFC 7798 and independently of src: strict, for tests. Throws an Error
 * for whatever the RFC forbids without DONL.
 */

/** The NAL units in the payloads of one access unit, in order. */
export function depayloadH265(payloads: readonly Uint8Array[]): Uint8Array[] {
  const units: Uint8Array[] = [];
  let fragments: number[] | undefined;
  for (const payload of payloads) {
    const header = fieldsOf(payload);
    if (fragments && header.type !== 49) throw new Error('a fragmented unit was not finished');
    if (header.type < 48) {
      units.push(payload);
    } else if (header.type === 48) {
      units.push(...aggregated(payload));
    } else if (header.type === 49) {
      const fu = payload[2]!;
      const start = (fu & 0b10000000) !== 0;
      const end = (fu & 0b01000000) !== 0;
      if (start && end) throw new Error('S and E in one fragment (4.4.3)');
      if (payload.length < 4) throw new Error('empty fragment (4.4.3)');
      if (start !== (fragments === undefined)) throw new Error('S at the wrong place');
      const word =
        header.f * 0x8000 + (fu & 0b00111111) * 0x200 + header.layerId * 8 + header.temporalIdPlus1;
      fragments ??= [word >> 8, word & 255];
      if (fragments[0]! * 256 + fragments[1]! !== word) throw new Error('mixed fragments');
      for (let i = 3; i < payload.length; i++) fragments.push(payload[i]!);
      if (end) {
        units.push(Uint8Array.from(fragments));
        fragments = undefined;
      }
    } else {
      throw new Error(`payload type ${header.type} is not understood`);
    }
  }
  if (fragments) throw new Error('a fragmented unit was not finished');
  return units;
}

function fieldsOf(unit: Uint8Array): { f: number; type: number; layerId: number; temporalIdPlus1: number } {
  const word = unit[0]! * 256 + unit[1]!;
  return {
    f: Math.floor(word / 0x8000),
    type: Math.floor(word / 0x200) % 64,
    layerId: Math.floor(word / 8) % 64,
    temporalIdPlus1: word % 8,
  };
}

function aggregated(payload: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = 2; at < payload.length; ) {
    const size = payload[at]! * 256 + payload[at + 1]!;
    at += 2;
    if (size < 2 || at + size > payload.length) throw new Error('a size overruns the AP');
    units.push(payload.subarray(at, at + size));
    at += size;
  }
  if (units.length < 2) throw new Error('an AP of fewer than two units (4.4.2)');
  const own = fieldsOf(payload);
  const all = units.map(fieldsOf);
  if (own.f !== Math.max(...all.map(unit => unit.f))) throw new Error('F of the AP is wrong');
  if (own.layerId !== Math.min(...all.map(unit => unit.layerId)))
    throw new Error('LayerId is not the lowest');
  if (own.temporalIdPlus1 !== Math.min(...all.map(unit => unit.temporalIdPlus1)))
    throw new Error('TID is not the lowest');
  return units;
}
