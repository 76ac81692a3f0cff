/**
 * One whole connection within the process at start, so that the first viewer does not pay for it: the first handshake
 * loads, compiles and makes a key for 150 to 190 ms of CPU, later ones take a tenth.
 *
 * Live thread, before it reports ready. Uses two sockets on the loopback address for a moment.
 */
import { Peer, processCertificate } from './peer.ts';

/** More than this means that something is in the way; the camera works all the same. */
const warmUpMsMax = 5000;

/** Connects two peers to one another and closes them. Resolves to whether they connected; never rejects. */
export async function warmUp(): Promise<boolean> {
  const peers: Peer[] = [];
  try {
    const { fingerprint } = await processCertificate();
    const credentials = [
      { ufrag: 'warmupA0', pwd: 'a'.repeat(24) },
      { ufrag: 'warmupB0', pwd: 'b'.repeat(24) },
    ] as const;
    const common = {
      localAddresses: ['127.0.0.1'],
      connectTimeoutMs: warmUpMsMax,
      allowLoopback: true,
    };
    const fingerprints = [fingerprint];
    const server = await Peer.create({
      ...common,
      credentials: credentials[0],
      remote: { ...credentials[1], candidates: [], iceLite: false, fingerprints, setup: 'active' },
    });
    peers.push(server);
    const [, , , , address, port] = server.local.candidates[0]!.split(' ');
    const candidate = {
      foundation: '1',
      priority: 2 ** 31 - 1,
      address: address!,
      port: Number(port),
      type: 'host',
    } as const;
    const client = await Peer.create({
      ...common,
      credentials: credentials[1],
      remote: { ...credentials[0], candidates: [candidate], iceLite: true, fingerprints, setup: 'passive' },
    });
    peers.push(client);
    const connected = peers.map(
      peer =>
        new Promise<boolean>(resolve => {
          peer.onConnected(() => resolve(true));
          peer.onClosed(() => resolve(false));
        }),
    );
    for (const peer of peers) peer.start();
    return (await Promise.all(connected)).every(Boolean);
  } catch {
    return false;
  } finally {
    await Promise.all(peers.map(peer => peer.close()));
  }
}
