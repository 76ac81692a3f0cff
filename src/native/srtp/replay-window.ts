/**
 * Which packet indexes were already accepted (RFC 3711 §3.3.2), for the RTCP of one sender.
 *
 * The window holds the last 64 indexes below the highest: the standard's least, and enough for reports that come
 * once a second. An index below the window is refused, whether it was seen or not. One object a sender and thread.
 */

/** Indexes in the window (RFC 3711 §3.3.2: at least 64). */
const windowLength = 64;

export class ReplayWindow {
  private highest = -1;
  /** The index that was last accepted at each position modulo the window's length. */
  private readonly accepted = new Float64Array(windowLength).fill(-1);

  /** Whether `index` may be accepted. Changes nothing: ask before the tag is checked, to refuse replays cheaply. */
  isNew(index: number): boolean {
    return index > this.highest - windowLength && this.accepted[index % windowLength] !== index;
  }

  /** Notes `index`. Only for packets whose tag was right: an attacker must not be able to move the window. */
  accept(index: number): void {
    this.accepted[index % windowLength] = index;
    if (index > this.highest) this.highest = index;
  }
}
