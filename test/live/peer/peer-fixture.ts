/** Cameras and viewers for tests of peers: both ends are of this process, on the loopback address. */

import type { Candidate } from '../../../src/live/offer/candidate.ts';
import { readCandidate } from '../../../src/live/offer/candidate.ts';
import {
  Peer,
  type PeerCloseReason,
  type PeerConnection,
  type PeerOptions,
  type PeerRemote,
  processCertificate,
} from '../../../src/live/peer/peer.ts';

export const cameraCredentials = { ufrag: 'camera00', pwd: 'c'.repeat(24) };
export const viewerCredentials = { ufrag: 'viewer00', pwd: 'v'.repeat(24) };

export interface Ends {
  readonly camera: Peer;
  readonly viewer: Peer;
}

export function candidatesOf(peer: Peer): Candidate[] {
  return peer.local.candidates.flatMap(
    text =>
      readCandidate(text.slice('candidate:'.length), { type: 'a', value: text, lineNumber: 0 }, true) ?? [],
  );
}

/** A camera that knows the viewer's credentials but none of its candidates. */
export async function makeCamera(
  options: Partial<PeerOptions> = {},
  remote: Partial<PeerRemote> = {},
): Promise<Peer> {
  const { fingerprint } = await processCertificate();
  return Peer.create({
    localAddresses: ['127.0.0.1'],
    allowLoopback: true,
    credentials: cameraCredentials,
    remote: {
      ...viewerCredentials,
      candidates: [],
      iceLite: false,
      fingerprints: [fingerprint],
      setup: 'actpass',
      ...remote,
    },
    ...options,
  });
}

/** A viewer of the camera: controlling, DTLS server unless the camera is it. */
export async function makeViewer(
  camera: Peer,
  options: Partial<PeerOptions> = {},
  remote: Partial<PeerRemote> = {},
): Promise<Peer> {
  return Peer.create({
    localAddresses: ['127.0.0.1'],
    allowLoopback: true,
    credentials: viewerCredentials,
    remote: {
      ...cameraCredentials,
      candidates: candidatesOf(camera),
      // Makes the viewer controlling, as an offerer is.
      iceLite: true,
      fingerprints: [camera.local.fingerprint],
      setup: camera.local.setup,
      ...remote,
    },
    ...options,
  });
}

export async function makeEnds(options: Partial<PeerOptions> = {}): Promise<Ends> {
  const camera = await makeCamera(options);
  return { camera, viewer: await makeViewer(camera, options) };
}

export function connected(peer: Peer): Promise<PeerConnection> {
  return new Promise((resolve, reject) => {
    peer.onConnected(resolve);
    peer.onClosed(reason => reject(new Error(`closed: ${reason} ${peer.closeCause?.message ?? ''}`)));
  });
}

export function closed(peer: Peer): Promise<PeerCloseReason> {
  return new Promise(resolve => peer.onClosed(resolve));
}

export async function connect({ camera, viewer }: Ends): Promise<PeerConnection[]> {
  const both = Promise.all([connected(camera), connected(viewer)]);
  camera.start();
  viewer.start();
  return both;
}

export async function closeAll(...peers: Peer[]): Promise<void> {
  await Promise.all(peers.map(peer => peer.close()));
}

/** The peer's sockets, to make it vanish without a word. */
export async function vanish(peer: Peer): Promise<void> {
  const { bases } = peer as unknown as { bases: { close(): Promise<void> }[] };
  await Promise.all(bases.map(base => base.close()));
}

/** Names of what keeps the process alive, after what is closing has closed. */
export async function activeResources(): Promise<string[]> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
  return process
    .getActiveResourcesInfo()
    .filter(name => name === 'UDPWrap' || name === 'Timeout')
    .sort();
}
