/**
 * Where everything lies in the ring's memory: constants and a diagram, no behaviour.
 *
 * One SharedArrayBuffer holds a header, a power-of-two number of slots (slot-layout.ts) and a data area. A record is
 * a slot that describes it and a contiguous run of the data area that holds its bytes. Header words are Int32 and are
 * only touched through Atomics. HEAD and TAIL have a cache line each, since different threads write and read them.
 *
 * ```text
 *  byte 0               64              128             192             256            headerBytes
 *  ├─ identity ─────────┼─ HEAD ────────┼─ TAIL ────────┼─ KEYFRAME ────┼─ RANDOM ACCESS ┤
 *  │ magic   version    │ next sequence │ oldest intact │ wanted tracks │ newest random  │
 *  │ dataBytes slots    │ to publish;   │ sequence      │ (bit = track) │ access point   │
 *  │                    │ waiters       │               │               │ of each track  │
 *  └────────────────────┴───────────────┴───────────────┴───────────────┴────────────────┘
 *  headerBytes                        + slotCount × slotBytes               + dataBytes
 *  ├─ slot 0 ─┬─ slot 1 ─┬─ … ────────┼─ data area: records in sequence order, going round ─┤
 * ```
 *
 * Sequences are unsigned 32-bit and wrap; two are compared by the sign of their difference (RFC 1982). A record with
 * sequence s uses slot s mod slotCount. The intact records are always TAIL ≤ s < HEAD: the producer moves TAIL past
 * what it is about to overwrite *before* it writes, and HEAD past a record *after* the record is complete. These two
 * words are the whole protocol.
 */
import { trackCountMax } from '../base/tracks.ts';

/** "OCFR" in ASCII: the first word of every frame ring. */
export const ringMagic = 0x4f434652;
/** Layout version; a reader of another version refuses the ring. */
export const ringVersion = 1;

export const wordMagic = 0;
export const wordVersion = 1;
export const wordDataBytes = 2;
export const wordSlotCount = 3;
/** Sequence of the next record to be published. Readers wait on this word. */
export const wordHead = 16;
/** Threads that wait on HEAD. Above 0 the producer wakes them; a reader that died waiting only costs a wake-up. */
export const wordWaiters = 17;
/** Oldest sequence that is still intact. */
export const wordTail = 32;
/** Bit t is set while somebody wants a keyframe on track t. */
export const wordKeyframeWanted = 48;
/** First of {@link trackCountMax} words: sequence of the newest random access point of each track. */
export const wordRandomAccess = 64;
/** Bit t is set once track t has had a random access point. */
export const wordRandomAccessKnown = wordRandomAccess + trackCountMax;

/** Bytes before the first slot. */
export const headerBytes = 512;

/** Records begin at multiples of this (a cache line), so that a reader and the producer never share a line. */
export const recordAlignmentBytes = 64;

/** Slots at least, so that a claim never evicts the record that was just published. */
export const slotCountMin = 4;
/** Slots at most: 2^20 slots are 256 MiB of slots alone, far beyond any camera; bounds the index arithmetic. */
export const slotCountMax = 1 << 20;
/** Data area at least, in bytes. */
export const dataBytesMin = 4096;
/** Data area at most, in bytes; offsets stay below 2^31. */
export const dataBytesMax = 2 ** 30;
