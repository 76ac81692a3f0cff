/**
 * One live session: offer, answer, tracks. It is opened once and closed once; a new try is a new one.
 *
 * The offer leaves at once, without waiting for candidates: this browser's addresses reach the camera with the first
 * connectivity checks (RFC 8445 §7.3.1.3), and waiting for them would only delay the first picture.
 */

/** What the camera can send; what else a browser offers would only make the offer longer. */
const wanted = /^(video\/(h264|h265|rtx)|audio\/(pcmu|pcma))$/i;

const captureTimeExtension = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

export class LiveConnection {
  #api;
  #onLost;
  #peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #abort = new AbortController();
  #sessionId;
  #closed = false;

  /** The tracks of the camera, as they come. */
  stream = new MediaStream();
  /** When the offer was sent and the answer came, on performance.now()'s clock. */
  postedAt = 0;
  answeredAt = 0;
  connectedAt = 0;
  /** How long the camera keeps the session, ms from the answer. */
  lifeMs;

  /**
   * @param api a CameraApi.
   * @param {(state: 'disconnected' | 'failed') => void} onLost the transport stumbles, or is lost for good.
   */
  constructor(api, onLost) {
    this.#api = api;
    this.#onLost = onLost;
  }

  get peer() {
    return this.#peer;
  }

  get sessionId() {
    return this.#sessionId;
  }

  /** Resolves when the answer is in place; rejects with a CameraProblem. */
  async open() {
    const peer = this.#peer;
    peer.addEventListener('track', ({ track }) => this.stream.addTrack(track));
    peer.addEventListener('connectionstatechange', () => this.#connectionChanged());
    for (const kind of ['video', 'audio'])
      prepare(peer.addTransceiver(kind, { direction: 'recvonly' }), kind);
    await peer.setLocalDescription(await peer.createOffer());
    if (this.#closed) return;
    this.postedAt = performance.now();
    const answer = await this.#api.openSession(peer.localDescription.sdp, this.#abort.signal);
    this.answeredAt = performance.now();
    this.#sessionId = answer.session_id;
    this.lifeMs = answer.lifeMs;
    if (this.#closed) void this.#api.closeSession(answer.session_id);
    else await peer.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
  }

  /** Ends the session on both sides. May be called at any time, also while the page goes away. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#abort.abort();
    this.#peer.close();
    if (this.#sessionId !== undefined) void this.#api.closeSession(this.#sessionId);
  }

  #connectionChanged() {
    const state = this.#peer.connectionState;
    if (state === 'connected') this.connectedAt ||= performance.now();
    if (!this.#closed && (state === 'disconnected' || state === 'failed')) this.#onLost(state);
  }
}

/** Trims the offer, and asks for capture times in the stream, where the browser lets us. */
function prepare(transceiver, kind) {
  try {
    const codecs = RTCRtpReceiver.getCapabilities(kind).codecs.filter(codec => wanted.test(codec.mimeType));
    if (codecs.some(codec => !/rtx/i.test(codec.mimeType))) transceiver.setCodecPreferences(codecs);
    const extensions = transceiver.getHeaderExtensionsToNegotiate();
    for (const extension of extensions)
      if (extension.uri === captureTimeExtension) extension.direction = 'sendrecv';
    transceiver.setHeaderExtensionsToNegotiate(extensions);
  } catch {
    // An older browser offers what it always offers.
  }
}
