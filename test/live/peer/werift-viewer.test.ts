/** A viewer with a WebRTC stack of its own, werift's RTCPeerConnection: offer, answer, ICE, DTLS and SRTP together. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type MediaStreamTrack,
  RTCPeerConnection,
  RtpHeader,
  type RtpPacket,
  SrtpSession,
  useH264,
  usePCMU,
} from 'werift';
import { transportOf, writeAnswer } from '../../../src/live/offer/answer.ts';
import { chooseMedia } from '../../../src/live/offer/codec-choice.ts';
import { parseOffer } from '../../../src/live/offer/parse-offer.ts';
import { hostAddresses } from '../../../src/live/peer/host-addresses.ts';
import { Peer } from '../../../src/live/peer/peer.ts';
import { h264Track, pcmuTrack } from '../offer/offer-fixture.ts';
import { closed, connected } from './peer-fixture.ts';

const h264 = useH264({
  payloadType: 96,
  parameters: 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
});

describe('a viewer that uses werift', () => {
  it('gets an answer, connects, decrypts our SRTP by the keys of the handshake, and is noticed to leave', async () => {
    const viewer = new RTCPeerConnection({
      codecs: { video: [h264], audio: [usePCMU()] },
      bundlePolicy: 'max-bundle',
      iceServers: [],
    });
    const { receiver } = viewer.addTransceiver('video', { direction: 'recvonly' });
    viewer.addTransceiver('audio', { direction: 'recvonly' });
    await viewer.setLocalDescription(await viewer.createOffer());
    const offer = parseOffer(viewer.localDescription!.sdp, { allowLoopback: true });
    const choice = chooseMedia(offer, [h264Track('42e01f'), pcmuTrack]);
    assert.ok(choice.video && choice.audio);
    const camera = await Peer.create({
      remote: { ...transportOf(offer, choice), candidates: offer.candidates, iceLite: offer.iceLite },
      localAddresses: hostAddresses(),
      consentTimeoutMs: 300,
    });
    const ssrc = { video: 4711, audio: 4712 };
    const ids = { sessionNumber: 1n, cname: 'c', streamId: 's' };
    const sdp = writeAnswer({ offer, choice, local: camera.local, ssrc, ...ids });
    const connection = connected(camera);
    camera.start();
    await viewer.setRemoteDescription({ type: 'answer', sdp });
    const { profile, sendKeys, receiveKeys } = await connection;
    assert.equal(profile, 'AEAD_AES_128_GCM');

    const track: MediaStreamTrack = receiver.track;
    const received = new Promise<RtpPacket>(resolve => track.onReceiveRtp.once(packet => resolve(packet)));
    const srtp = new SrtpSession({
      profile: 7,
      keys: {
        localMasterKey: Buffer.from(sendKeys.masterKey),
        localMasterSalt: Buffer.from(sendKeys.masterSalt),
        remoteMasterKey: Buffer.from(receiveKeys.masterKey),
        remoteMasterSalt: Buffer.from(receiveKeys.masterSalt),
      },
    });
    const { payloadType } = choice.video;
    const header = new RtpHeader({ payloadType, sequenceNumber: 1, timestamp: 90, ssrc: 4711, marker: true });
    camera.send(srtp.encrypt(Buffer.from([0x65, 1, 2, 3]), header));
    assert.deepEqual((await received).payload, Buffer.from([0x65, 1, 2, 3]));

    const reason = closed(camera);
    await viewer.close();
    assert.equal(await reason, 'consent-expired');
    await camera.close();
  });
});
