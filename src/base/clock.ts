/**
 * The two clocks of the camera, as an interface: pure code never asks the machine for the time, it is handed a clock.
 *
 * Monotonic time is in microseconds since an arbitrary start that is common to all threads of the process; it orders
 * and paces media. Wall time is Unix time in milliseconds; it names moments to people and may step at any time.
 * Names of values say clock and unit: `captureMonoUs`, `wallUnixMs`, `pts90k`, `rtpTimestamp`.
 */
export interface Clock {
  /** Microseconds, never decreasing, the same zero in every thread of this process. */
  monoUs(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z; may step forwards and backwards. */
  wallUnixMs(): number;
}
