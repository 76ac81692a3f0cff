/**
 * What the browser knows of the stream, once a second, as plain numbers (W3C "Identifiers for WebRTC's Statistics API").
 *
 * Rates and delays are those of the last interval, not means since the start.
 */

const codecNames = {
  'video/h264': 'H.264',
  'video/h265': 'H.265',
  'audio/pcmu': 'G.711 µ-law',
  'audio/pcma': 'G.711 A-law',
};

export class PictureStatistics {
  #previous;

  /** Reads the statistics of a peer connection; `undefined` before any video came. */
  async read(peer) {
    const report = await peer.getStats();
    let video;
    let audio;
    let pair;
    for (const entry of report.values()) {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') video = entry;
      else if (entry.type === 'inbound-rtp' && entry.kind === 'audio') audio = entry;
      else if (entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded')
        pair = entry;
    }
    if (!video) return undefined;
    const previous = this.#previous ?? {};
    this.#previous = video;
    const since = key => (video[key] ?? 0) - (previous[key] ?? 0);
    const seconds = previous.timestamp === undefined ? 0 : since('timestamp') / 1000;
    const perFrame = (key, count) => (since(count) > 0 ? (1000 * since(key)) / since(count) : undefined);
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
      jitterBufferMs: perFrame('jitterBufferDelay', 'jitterBufferEmittedCount'),
      decodeMs: perFrame('totalDecodeTime', 'framesDecoded'),
      roundTripMs: pair?.currentRoundTripTime === undefined ? undefined : 1000 * pair.currentRoundTripTime,
      videoCodec: nameOf(report, video),
      audioCodec: audio && audio.packetsReceived > 0 ? nameOf(report, audio) : undefined,
      audioEnergy: audio?.totalAudioEnergy,
      audioConcealed: audio?.concealedSamples,
    };
  }
}

function nameOf(report, stream) {
  const mimeType = report.get(stream.codecId)?.mimeType;
  return mimeType && (codecNames[mimeType.toLowerCase()] ?? mimeType.split('/')[1]);
}
