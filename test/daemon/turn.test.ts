/** Picture through a TURN relay: the real daemon, real Chromium, and coturn between them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openChromium, openPage, readFrameNumbers } from '../support/chromium.ts';
import { Coturn, turnUser } from '../support/coturn.ts';
import { Daemon } from '../support/daemon.ts';
import type { Answer } from '../support/light-viewer.ts';
import { postOffer } from '../support/light-viewer.ts';

/** What the browser says of the pair it uses (webrtc-stats §8.9, §8.10). */
interface UsedPair {
  readonly local: string;
  readonly remote: string;
}

interface Relayed {
  readonly page: Page;
  readonly daemon: Daemon;
  readonly answer: Answer;
  /** From the offer until the answer, and until the first picture was decoded. */
  readonly answerMs: number;
  readonly pictureMs: number;
  readonly used: UsedPair;
}

const configPath = '/api/v1/media/live/config';

function turnUrl(port: number): string {
  const { username, password } = turnUser;
  return `turn:${username}:${encodeURIComponent(password)}@127.0.0.1:${port}?transport=udp`;
}

/** A viewer that uses relayed candidates alone, of a camera that offers this address and knows the same server. */
async function playRelayed(t: TestContext, cameraAddress: string): Promise<Relayed | undefined> {
  const server = await Coturn.start(t);
  const browser = server && (await openChromium(t));
  if (!server || !browser) return undefined;
  const daemon = await Daemon.start({ flags: ['--live-addresses', cameraAddress] });
  t.after(() => daemon.stop());
  const configured = await daemon.fetch(configPath, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ice_servers: [turnUrl(server.port)] }),
  });
  assert.equal(configured.status, 200, await configured.text());
  const page = await openPage(browser);
  await page.goto('data:text/html,<video autoplay muted playsinline></video>');
  const iceServers = [
    { urls: `turn:127.0.0.1:${server.port}`, username: turnUser.username, credential: turnUser.password },
  ];
  const offer = await page.evaluate<string>(`(async () => {
    const iceServers = ${JSON.stringify(iceServers)};
    const peer = new RTCPeerConnection({ iceTransportPolicy: 'relay', iceServers });
    window.peer = peer;
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.ontrack = ({ streams }) => { document.querySelector('video').srcObject = streams[0]; };
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== 'complete') await new Promise(next => { peer.onicegatheringstatechange = next; });
    return peer.localDescription.sdp;
  })()`);
  assert.match(offer, /typ relay/);
  assert.doesNotMatch(offer, /typ (host|srflx)/);
  const startMs = performance.now();
  const response = await postOffer(daemon, offer);
  assert.equal(response.status, 200);
  const answer = (await response.json()) as Answer;
  const answerMs = performance.now() - startMs;
  const used = await page.evaluate<UsedPair>(`(async () => {
    const video = document.querySelector('video');
    const shown = new Promise(resolve => video.requestVideoFrameCallback(resolve));
    await peer.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer.sdp)} });
    await shown;
    const statistics = await peer.getStats();
    const transport = [...statistics.values()].find(({ type }) => type === 'transport');
    const pair = statistics.get(transport.selectedCandidatePairId);
    const [local, remote] = [pair.localCandidateId, pair.remoteCandidateId].map(id => statistics.get(id).candidateType);
    return { local, remote };
  })()`);
  const pictureMs = performance.now() - startMs;
  t.diagnostic(JSON.stringify({ answerMs, pictureMs, used }));
  return { page, daemon, answer, answerMs, pictureMs, used };
}

async function checkPicture({ page }: Relayed): Promise<void> {
  const numbers = await readFrameNumbers(page, 2000);
  assert.ok(!numbers.includes(-1), 'a picture had no readable counter');
  assert.ok(new Set(numbers).size >= 30, `${numbers}`);
}

test('a viewer that may use its relay alone sees the camera', async t => {
  const relayed = await playRelayed(t, '127.0.0.1');
  if (!relayed) return;
  assert.equal(relayed.used.local, 'relay');
  assert.match(relayed.answer.sdp, /typ host/);
  assert.match(relayed.answer.sdp, /typ relay/);
  await checkPicture(relayed);
  if (process.env.SCREENSHOT) await relayed.page.screenshot({ path: process.env.SCREENSHOT });
});

test("the camera's relayed candidate carries the picture when no other pair is usable", async t => {
  // The browser's relay is of IPv4 alone, so the camera's own address is out of its reach.
  const relayed = await playRelayed(t, '::1');
  if (!relayed) return;
  assert.deepEqual(relayed.used, { local: 'relay', remote: 'relay' });
  await checkPicture(relayed);
  const { daemon, answer } = relayed;
  const description = await daemon.json<{ state: string }>(`/api/v1/media/live/session/${answer.session_id}`);
  assert.equal(description.state, 'connected');
  const secrets = [turnUser.password, encodeURIComponent(turnUser.password)];
  for (const secret of secrets)
    assert.ok(!daemon.log.join('\n').includes(secret), 'a log line has the password');
});
