/**
 * How old the picture is when it is shown, in milliseconds.
 *
 * Where the stream carries capture times (abs-capture-time) and the browser shows them, the age is measured: the moment
 * of presentation minus the moment of capture, both on the camera's clock, which is read over HTTP and is right to half
 * a round trip of the best of several requests. Elsewhere it is estimated as half the round trip plus the time in the
 * jitter buffer and in the decoder; what the camera itself takes is not in that number.
 */

/** Readings of the camera's clock that are kept; the one with the shortest round trip counts. */
const readingsMax = 8;

/** Seconds between the NTP epoch (1900) and the Unix epoch (1970), in milliseconds. */
const ntpToUnixMs = 2_208_988_800_000;

/** Ages beyond this are no latency but two clocks that disagree. */
const plausibleMs = 60_000;

/** An RTCRtpReceiver that may tell capture times (W3C "WebRTC Extensions", captureTimestamp). */
export interface CaptureTimes {
  getSynchronizationSources?(): readonly {
    readonly captureTimestamp?: number;
    readonly rtpTimestamp: number;
  }[];
}

/** A picture as the video element tells of it. */
export interface ShownFrame {
  readonly rtpTimestamp?: number;
  readonly presentationTime: number;
}

/** The measurement of one connection. */
export class PictureLatency {
  private readonly readings: { readonly roundTripMs: number; readonly offsetMs: number }[] = [];

  /** Adds a reading of the camera's clock: its Unix time in ms, and when it was asked and when the answer came. */
  addClockReading(cameraUnixMs: number, askedAt: number, answeredAt: number): void {
    const middleUnixMs = performance.timeOrigin + (askedAt + answeredAt) / 2;
    this.readings.push({ roundTripMs: answeredAt - askedAt, offsetMs: cameraUnixMs - middleUnixMs });
    if (this.readings.length > readingsMax) this.readings.shift();
  }

  /** How far the measured age may be off, ms: half the best round trip, and the millisecond of the camera's clock. */
  get errorMs(): number {
    return Math.min(...this.readings.map(({ roundTripMs }) => roundTripMs)) / 2 + 1;
  }

  /**
   * The age of a frame that is being shown.
   *
   * @param frame what requestVideoFrameCallback said of the frame.
   * @returns milliseconds, or undefined where it cannot be measured.
   */
  measure(receiver: CaptureTimes, frame: ShownFrame): number | undefined {
    const source = receiver.getSynchronizationSources?.()[0];
    const best = [...this.readings].sort((a, b) => a.roundTripMs - b.roundTripMs)[0];
    if (!source?.captureTimestamp || frame.rtpTimestamp === undefined || !best) return undefined;
    const captureUnixMs =
      source.captureTimestamp > ntpToUnixMs ? source.captureTimestamp - ntpToUnixMs : source.captureTimestamp;
    // The source tells the newest frame; the one on the screen may be another, its RTP timestamp (90 kHz) tells which.
    const frameCaptureUnixMs = captureUnixMs + ((frame.rtpTimestamp - source.rtpTimestamp) | 0) / 90;
    const shownUnixMs = performance.timeOrigin + frame.presentationTime + best.offsetMs;
    const ageMs = shownUnixMs - frameCaptureUnixMs;
    return ageMs > -5 && ageMs < plausibleMs ? Math.max(0, ageMs) : undefined;
  }

  /** The estimate from the statistics of PictureStatistics; undefined before there are any. */
  static estimate({
    jitterBufferMs,
    roundTripMs,
    decodeMs,
  }: {
    readonly jitterBufferMs?: number | undefined;
    readonly roundTripMs?: number | undefined;
    readonly decodeMs?: number | undefined;
  }): number | undefined {
    if (jitterBufferMs === undefined) return undefined;
    return jitterBufferMs + (roundTripMs ?? 0) / 2 + (decodeMs ?? 0);
  }
}
