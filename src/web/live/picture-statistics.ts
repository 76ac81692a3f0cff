/**
 * What the browser knows of the stream, once a second, as plain numbers (W3C "Identifiers for WebRTC's Statistics API").
 *
 * Rates and delays are those of the last interval, not means since the start.
 */

const codecNames: Readonly<Record<string, string>> = {
  'video/h264': 'H.264',
  'video/h265': 'H.265',
  'audio/pcmu': 'G.711 µ-law',
  'audio/pcma': 'G.711 A-law',
};

/** One reading. */
export interface PictureFigures {
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly freezes: number;
  readonly bytesReceived: number;
  /** bit/s; undefined before the second reading. */
  readonly bitRate: number | undefined;
  readonly packetsLost: number;
  readonly jitterBufferMs: number | undefined;
  readonly decodeMs: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly videoCodec: string | undefined;
  readonly audioCodec: string | undefined;
  readonly audioEnergy: number | undefined;
}

/** Reads the statistics of one peer connection. */
export class PictureStatistics {
  private previous: RTCInboundRtpStreamStats | undefined;

  /** `undefined` before any video came. */
  async read(peer: Pick<RTCPeerConnection, 'getStats'>): Promise<PictureFigures | undefined> {
    const report = await peer.getStats();
    let video: RTCInboundRtpStreamStats | undefined;
    let audio: RTCInboundRtpStreamStats | undefined;
    let pair: RTCIceCandidatePairStats | undefined;
    report.forEach((entry: RTCStats) => {
      if (entry.type === 'inbound-rtp') {
        const stream = entry as RTCInboundRtpStreamStats;
        if (stream.kind === 'video') video = stream;
        else audio = stream;
      } else if (entry.type === 'candidate-pair') {
        const candidate = entry as RTCIceCandidatePairStats;
        if (candidate.nominated && candidate.state === 'succeeded') pair = candidate;
      }
    });
    return video && this.figures(report, video, audio, pair);
  }

  private figures(
    report: RTCStatsReport,
    video: RTCInboundRtpStreamStats,
    audio: RTCInboundRtpStreamStats | undefined,
    pair: RTCIceCandidatePairStats | undefined,
  ): PictureFigures {
    const { previous } = this;
    this.previous = video;
    const since = (key: keyof RTCInboundRtpStreamStats): number =>
      Number(video[key] ?? 0) - Number(previous?.[key] ?? 0);
    const seconds = previous ? since('timestamp') / 1000 : 0;
    const perFrameMs = (
      total: keyof RTCInboundRtpStreamStats,
      count: keyof RTCInboundRtpStreamStats,
    ): number | undefined => (since(count) > 0 ? (1000 * since(total)) / since(count) : undefined);
    const roundTripSeconds = pair?.currentRoundTripTime;
    return {
      width: video.frameWidth,
      height: video.frameHeight,
      framesPerSecond: video.framesPerSecond,
      framesDecoded: video.framesDecoded ?? 0,
      framesDropped: video.framesDropped ?? 0,
      freezes: video.freezeCount ?? 0,
      bytesReceived: video.bytesReceived ?? 0,
      bitRate: seconds > 0 ? (8 * since('bytesReceived')) / seconds : undefined,
      packetsLost: Math.max(0, video.packetsLost ?? 0) + Math.max(0, audio?.packetsLost ?? 0),
      jitterBufferMs: perFrameMs('jitterBufferDelay', 'jitterBufferEmittedCount'),
      decodeMs: perFrameMs('totalDecodeTime', 'framesDecoded'),
      roundTripMs: roundTripSeconds === undefined ? undefined : 1000 * roundTripSeconds,
      videoCodec: nameOf(report, video),
      audioCodec: audio && (audio.packetsReceived ?? 0) > 0 ? nameOf(report, audio) : undefined,
      audioEnergy: audio?.totalAudioEnergy,
    };
  }
}

function nameOf(report: RTCStatsReport, stream: RTCInboundRtpStreamStats): string | undefined {
  const mimeType = (report.get(stream.codecId ?? '') as { mimeType?: string } | undefined)?.mimeType;
  return mimeType && (codecNames[mimeType.toLowerCase()] ?? mimeType.split('/')[1]);
}
