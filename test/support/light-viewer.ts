/**
 * A viewer that costs little: the camera's own ICE and DTLS as the other side, a minimal offer, and raw SRTP.
 *
 * For soaks and attacks, where werift's RTCPeerConnection is too slow and too well-behaved: what arrives is counted and
 * handed over encrypted, what is sent is whatever the test wants to send. The daemon must offer loopback addresses
 * (`--live-addresses 127.0.0.1`).
 */
import { randomBytes } from 'node:crypto';
import { readCandidate } from '../../src/live/offer/candidate.ts';
import type { SetupRole } from '../../src/live/offer/offer.ts';
import { Peer, type PeerConnection, processCertificate } from '../../src/live/peer/peer.ts';
import type { Daemon } from './daemon.ts';

const sessionPath = '/api/v1/media/live/session';

/** What is asked of the camera; the benchmark has one of its own. */
export type ViewedCamera = Pick<Daemon, 'fetch'>;

/** What the viewer must know before it can offer. */
export interface ViewerIdentity {
  readonly ufrag: string;
  readonly pwd: string;
  readonly fingerprint: string;
}

export async function newIdentity(): Promise<ViewerIdentity> {
  const { fingerprint } = await processCertificate();
  return { ufrag: randomBytes(6).toString('hex'), pwd: randomBytes(16).toString('hex'), fingerprint };
}

/** An offer of H.264 and PCMU as a browser's, without candidates. */
export function offerSdp({ ufrag, pwd, fingerprint }: ViewerIdentity, setup: SetupRole = 'actpass'): string {
  const transport = [
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    'a=recvonly',
    'a=rtcp-mux',
  ];
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'm=video 9 UDP/TLS/RTP/SAVPF 102',
    'a=mid:0',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    ...transport,
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'a=mid:1',
    'a=rtpmap:0 PCMU/8000',
    ...transport,
  ];
  // In a section the connection line comes before all attributes (RFC 8866 §5).
  const ordered: string[] = [];
  for (const line of lines)
    if (line.startsWith('c='))
      ordered.splice(ordered.findLastIndex(each => each.startsWith('m=')) + 1, 0, line);
    else ordered.push(line);
  return `${ordered.join('\r\n')}\r\n`;
}

/** Posts an offer and gives the response as it is. */
export function postOffer(daemon: ViewedCamera, sdp: string, init: RequestInit = {}): Promise<Response> {
  return daemon.fetch(sessionPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'offer', sdp }),
    ...init,
  });
}

export interface Answer {
  readonly sdp: string;
  readonly session_id: string;
  readonly valid_until: string;
}

/** The viewer's transport for an answer; to be started and closed by the caller. */
export function peerFor(identity: ViewerIdentity, answerSdp: string): Promise<Peer> {
  const value = (name: string): string => new RegExp(`^a=${name}:(.*)\r$`, 'm').exec(answerSdp)?.[1] ?? '';
  const candidates = [...answerSdp.matchAll(/^a=candidate:(.*)\r$/gm)].flatMap(
    ([, text]) => readCandidate(text!, { type: 'a', value: text!, lineNumber: 0 }, true) ?? [],
  );
  return Peer.create({
    localAddresses: ['127.0.0.1'],
    allowLoopback: true,
    credentials: identity,
    remote: {
      ufrag: value('ice-ufrag'),
      pwd: value('ice-pwd'),
      candidates,
      // Makes this side controlling, as an offerer is.
      iceLite: true,
      fingerprints: [value('fingerprint').replace(/^sha-256 /, '')],
      setup: value('setup') as SetupRole,
    },
  });
}

export class LightViewer {
  readonly sessionId: string;
  readonly answerSdp: string;
  readonly peer: Peer;
  /** Resolves to the keys; rejects with the reason when the peer closes before. */
  readonly connected: Promise<PeerConnection>;
  /** Resolves when the peer is closed, by whomever. */
  readonly closed: Promise<string>;
  /** SRTP and SRTCP that arrived. */
  datagrams = 0;
  onDatagram: ((bytes: Buffer) => void) | undefined;
  private readonly daemon: ViewedCamera;

  private constructor(daemon: ViewedCamera, answer: Answer, peer: Peer) {
    this.daemon = daemon;
    this.sessionId = answer.session_id;
    this.answerSdp = answer.sdp;
    this.peer = peer;
    let fail: (error: Error) => void;
    this.connected = new Promise((resolve, reject) => {
      fail = reject;
      peer.onConnected(resolve);
    });
    this.connected.catch(() => {});
    this.closed = new Promise(resolve => {
      peer.onClosed(reason => {
        fail(new Error(`the viewer was closed: ${reason}`));
        resolve(reason);
      });
    });
    peer.onDatagram(bytes => {
      this.datagrams++;
      this.onDatagram?.(bytes);
    });
  }

  /** Offers, takes the answer and starts to connect; throws when the offer is refused. */
  static async open(daemon: ViewedCamera): Promise<LightViewer> {
    const identity = await newIdentity();
    const response = await postOffer(daemon, offerSdp(identity));
    if (!response.ok)
      throw new Error(`the offer was answered with ${response.status}: ${await response.text()}`);
    return LightViewer.take(daemon, identity, (await response.json()) as Answer);
  }

  /** Takes an answer to an offer of this identity. */
  static async take(daemon: ViewedCamera, identity: ViewerIdentity, answer: Answer): Promise<LightViewer> {
    const viewer = new LightViewer(daemon, answer, await peerFor(identity, answer.sdp));
    viewer.peer.start();
    return viewer;
  }

  /** Ends the session as the API does. */
  delete(): Promise<Response> {
    return this.daemon.fetch(`${sessionPath}/${this.sessionId}`, { method: 'DELETE' });
  }

  /** The session's description; undefined when it has ended. */
  async describe(): Promise<Record<string, unknown> | undefined> {
    const response = await this.daemon.fetch(`${sessionPath}/${this.sessionId}`);
    return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
  }

  /** Says goodbye by close_notify and closes. */
  close(): Promise<void> {
    return this.peer.close();
  }

  /** Closes the sockets without a word. */
  async vanish(): Promise<void> {
    const { bases } = this.peer as unknown as { bases: { close(): Promise<void> }[] };
    await Promise.all(bases.map(base => base.close()));
    await this.peer.close();
  }
}
