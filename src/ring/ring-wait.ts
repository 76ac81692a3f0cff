/**
 * The only place where a thread waits on the ring, always with a bound.
 *
 * Blocking for a thread that has nothing else to do, asynchronous (Atomics.waitAsync, which wakes as fast and leaves
 * the event loop free) for one that has. A pending asynchronous wait does not keep a worker alive. No wake-up is lost:
 * a waiter counts itself before it looks at HEAD a last time, atomically with falling asleep, and the producer looks at
 * the count after it moved HEAD; all four are sequentially consistent, so one of the two sees the other.
 */
import { openFrameRing } from './frame-ring.ts';
import { wordHead, wordKeyframeWanted, wordWaiters } from './ring-layout.ts';

/** Longest wait in ms: a lost producer is noticed by supervision, a waiter must still come round to look. */
export const waitMsMax = 10_000;

/** Waits for one ring, from one thread. */
export class RingWait {
  private readonly words: Int32Array;

  /** Throws CameraError `ring-invalid` when the memory is no ring. */
  constructor(ring: SharedArrayBuffer) {
    this.words = openFrameRing(ring).words;
  }

  /**
   * Blocks until the record `sequence` is published, at most `timeoutMs`. Returns whether it is there.
   * For worker threads alone; the main thread must not block.
   */
  forRecord(sequence: number, timeoutMs: number): boolean {
    if (this.isPublished(sequence)) return true;
    Atomics.add(this.words, wordWaiters, 1);
    Atomics.wait(this.words, wordHead, sequence | 0, Math.min(timeoutMs, waitMsMax));
    return this.endOfWait(sequence);
  }

  /** As {@link forRecord}, without blocking: an answer at once, or a promise that also resolves at the time limit. */
  forRecordAsync(sequence: number, timeoutMs: number): boolean | Promise<boolean> {
    if (this.isPublished(sequence)) return true;
    Atomics.add(this.words, wordWaiters, 1);
    const wait = Atomics.waitAsync(this.words, wordHead, sequence | 0, Math.min(timeoutMs, waitMsMax));
    if (wait.async) return wait.value.then(() => this.endOfWait(sequence));
    return this.endOfWait(sequence);
  }

  /** Resolves when any track wants a keyframe, or at the time limit; the capture thread then asks for each track. */
  async forKeyframeWantedAsync(timeoutMs: number): Promise<void> {
    const wait = Atomics.waitAsync(this.words, wordKeyframeWanted, 0, Math.min(timeoutMs, waitMsMax));
    if (wait.async) await wait.value;
  }

  private endOfWait(sequence: number): boolean {
    Atomics.sub(this.words, wordWaiters, 1);
    return this.isPublished(sequence);
  }

  private isPublished(sequence: number): boolean {
    return ((Atomics.load(this.words, wordHead) - sequence) | 0) > 0;
  }
}
