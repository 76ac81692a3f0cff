// Runs in the page before its own scripts: keeps its RTCPeerConnections and reads the frame counter of the picture.
// Plain JavaScript in its own file, because it is the browser's and not the daemon's; chromium.ts loads it.
(() => {
  const connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      // A test may say how the browser connects, for example by a relay alone.
      super({ ...configuration, ...window.testingConfiguration });
      connections.push(this);
    }
  };

  /** The newest connection's inbound-rtp statistics (W3C webrtc-stats §8.2) of 'video' or 'audio'. */
  async function inbound(kind) {
    for (const entry of (await connections.at(-1).getStats()).values())
      if (entry.type === 'inbound-rtp' && entry.kind === kind) return { ...entry };
    return undefined;
  }

  const canvas = new OffscreenCanvas(1280, 2);
  const context = canvas.getContext('2d', { willReadFrequently: true });

  /** The number in the picture that a video shows now; -1 where none can be read (../shared/media/README.md). */
  function frameNumber(video = document.querySelector('video')) {
    // Two rows in the middle of the counter's strip, which is the top 32 of 720 rows.
    context.drawImage(video, 0, video.videoHeight * (16 / 720), video.videoWidth, 2, 0, 0, 1280, 2);
    const { data } = context.getImageData(0, 0, 1280, 1);
    const bit = cell => (data[4 * Math.floor(((cell + 0.5) * 1280) / 24)] > 128 ? 1 : 0);
    let number = 0;
    for (let cell = 2; cell < 18; cell++) number = number * 2 + bit(cell);
    return bit(0) === 1 && bit(1) === 0 && bit(22) === 0 && bit(23) === 1 ? number : -1;
  }

  /** Frame numbers of the pictures presented for `ms`. */
  function frameNumbers(ms) {
    const video = document.querySelector('video');
    const numbers = [];
    return new Promise(resolve => {
      const end = performance.now() + ms;
      const look = () => {
        numbers.push(frameNumber(video));
        if (performance.now() < end) video.requestVideoFrameCallback(look);
        else resolve(numbers);
      };
      video.requestVideoFrameCallback(look);
    });
  }

  /** How many connections the page has not closed. */
  const openConnections = () =>
    connections.filter(({ connectionState }) => connectionState !== 'closed').length;

  window.testing = { inbound, frameNumber, frameNumbers, openConnections };
})();
