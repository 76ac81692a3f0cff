/**
 * One live session: offer, answer, tracks. It is opened once and closed once; a new try is a new one.
 *
 * The offer leaves at once, without waiting for candidates: this browser's addresses reach the camera with the first
 * connectivity checks (RFC 8445 §7.3.1.3), and waiting for them would only delay the first picture.
 */
import type { CameraApi } from '../api/camera-api.ts';

/** What the camera can send; what else a browser offers would only make the offer longer. */
const wanted = /^(video\/(h264|h265|rtx)|audio\/(pcmu|pcma))$/i;

const captureTimeExtension = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

/** Which of the camera's streams is shown. */
export type LiveStream = 'main' | 'sub';

/** See the head of the file. */
export class LiveConnection {
  /** The tracks of the camera, as they come. */
  readonly stream = new MediaStream();
  readonly peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  /** When the offer was sent and the answer came, on performance.now()'s clock; 0 before. */
  postedAt = 0;
  answeredAt = 0;
  connectedAt = 0;
  /** How long the camera keeps the session, ms from the answer. */
  lifeMs: number | undefined;
  sessionId: string | undefined;
  private readonly api: CameraApi;
  private readonly wantedStream: LiveStream;
  private readonly onLost: (state: 'disconnected' | 'failed') => void;
  private readonly abort = new AbortController();
  private isClosed = false;

  /** @param onLost the transport stumbles, or is lost for good. */
  constructor(api: CameraApi, stream: LiveStream, onLost: (state: 'disconnected' | 'failed') => void) {
    this.api = api;
    this.wantedStream = stream;
    this.onLost = onLost;
  }

  /** Resolves when the answer is in place; rejects with a CameraProblem. */
  async open(): Promise<void> {
    const { peer } = this;
    peer.addEventListener('track', ({ track }) => this.stream.addTrack(track));
    peer.addEventListener('connectionstatechange', () => this.connectionChanged());
    for (const kind of ['video', 'audio'])
      prepare(peer.addTransceiver(kind, { direction: 'recvonly' }), kind);
    await peer.setLocalDescription(await peer.createOffer());
    if (this.isClosed) return;
    this.postedAt = performance.now();
    const sdp = peer.localDescription?.sdp ?? '';
    const answer = await this.api.openSession(sdp, this.wantedStream, this.abort.signal);
    this.answeredAt = performance.now();
    this.sessionId = answer.session_id;
    this.lifeMs = answer.lifeMs;
    if (this.isClosed) void this.api.closeSession(answer.session_id);
    else await peer.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
  }

  /** Ends the session on both sides. May be called at any time, also while the page goes away. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.abort.abort();
    this.peer.close();
    if (this.sessionId !== undefined) void this.api.closeSession(this.sessionId);
  }

  private connectionChanged(): void {
    const state = this.peer.connectionState;
    if (state === 'connected') this.connectedAt ||= performance.now();
    if (!this.isClosed && (state === 'disconnected' || state === 'failed')) this.onLost(state);
  }
}

/** A transceiver whose header extensions can be chosen (W3C "WebRTC Extensions" §5.1). */
interface ChoosableTransceiver {
  getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[];
  setHeaderExtensionsToNegotiate(extensions: readonly { uri: string; direction: string }[]): void;
}

/** Trims the offer, and asks for capture times in the stream, where the browser lets us. */
function prepare(transceiver: RTCRtpTransceiver, kind: string): void {
  try {
    const codecs = (RTCRtpReceiver.getCapabilities(kind)?.codecs ?? []).filter(codec =>
      wanted.test(codec.mimeType),
    );
    if (codecs.some(codec => !/rtx/i.test(codec.mimeType))) transceiver.setCodecPreferences(codecs);
    const choosable = transceiver as unknown as ChoosableTransceiver;
    const extensions = choosable.getHeaderExtensionsToNegotiate();
    for (const extension of extensions)
      if (extension.uri === captureTimeExtension) extension.direction = 'sendrecv';
    choosable.setHeaderExtensionsToNegotiate(extensions);
  } catch {
    // An older browser offers what it always offers.
  }
}
