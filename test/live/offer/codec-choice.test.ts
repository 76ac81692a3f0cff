import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TrackInfo } from '../../../src/base/tracks.ts';
import { Track } from '../../../src/base/tracks.ts';
import { chooseMedia, type MediaChoice } from '../../../src/live/offer/codec-choice.ts';
import { parseOffer } from '../../../src/live/offer/parse-offer.ts';
import {
  editLines,
  h264Track,
  h265Track,
  isError,
  pcmaTrack,
  pcmuTrack,
  readOffer,
} from './offer-fixture.ts';

const chromium = readOffer('chromium-recvonly');
const safari = readOffer('safari-like');
const firefox = readOffer('firefox-like');

function choose(sdp: string, ...tracks: TrackInfo[]): MediaChoice {
  return chooseMedia(parseOffer(sdp), tracks);
}

/** An offer of H.264 with these format parameters alone, and PCMU. */
function h264Offer(parameters: string): string {
  return editLines(readOffer('node-datachannel-like'), line =>
    line.startsWith('a=fmtp:96') ? (parameters === '' ? undefined : `a=fmtp:96 ${parameters}`) : line,
  );
}

function payloadTypeFor(sdp: string, profileLevelId: string): number | undefined {
  return choose(sdp, h264Track(profileLevelId), pcmuTrack).video?.payloadType;
}

describe('the choice of H.264', () => {
  it('takes the payload type of the nearest profile with packetization-mode 1', () => {
    assert.equal(payloadTypeFor(chromium, '42e01f'), 108);
    assert.equal(payloadTypeFor(chromium, '42c01e'), 108);
    assert.equal(payloadTypeFor(chromium, '42001f'), 102);
    assert.equal(payloadTypeFor(chromium, '4d0028'), 116);
    assert.equal(payloadTypeFor(chromium, '64001f'), 41);
    assert.equal(payloadTypeFor(safari, '64002a'), 96);
    assert.equal(payloadTypeFor(safari, '42e01f'), 98);
    assert.equal(payloadTypeFor(firefox, '42e01f'), 126);
  });

  it('does not send what the offer cannot decode', () => {
    assert.equal(payloadTypeFor(firefox, '64001f'), undefined);
    assert.equal(payloadTypeFor(firefox, '4d001f'), undefined);
    assert.equal(payloadTypeFor(safari, '6e001f'), undefined);
    assert.equal(
      payloadTypeFor(h264Offer('packetization-mode=1;profile-level-id=42001f'), '4d001f'),
      undefined,
    );
  });

  it('never takes packetization-mode 0, also when it is missing or first', () => {
    assert.equal(
      payloadTypeFor(h264Offer('packetization-mode=0;profile-level-id=42e01f'), '42e01f'),
      undefined,
    );
    assert.equal(payloadTypeFor(h264Offer('profile-level-id=42e01f'), '42e01f'), undefined);
    assert.equal(payloadTypeFor(h264Offer(''), '42e01f'), undefined);
  });

  it('accepts a higher level with asymmetry or the browsers default, and no other', () => {
    const level = (parameters: string): number | undefined =>
      payloadTypeFor(h264Offer(`packetization-mode=1;${parameters}`), '42e033');
    assert.equal(level('profile-level-id=42e01e;level-asymmetry-allowed=1'), 96);
    assert.equal(level('profile-level-id=42e01f'), 96);
    assert.equal(level('profile-level-id=42e033'), 96);
    assert.equal(level('profile-level-id=42e01e'), undefined);
    assert.equal(level('profile-level-id=42e01e;level-asymmetry-allowed=0'), undefined);
  });

  it('skips a malformed profile-level-id and knows the default one', () => {
    assert.equal(
      payloadTypeFor(h264Offer('packetization-mode=1;profile-level-id=42e0'), '42e01f'),
      undefined,
    );
    assert.equal(
      payloadTypeFor(h264Offer('packetization-mode=1;profile-level-id=zzzzzz'), '42e01f'),
      undefined,
    );
    assert.equal(payloadTypeFor(h264Offer('packetization-mode=1'), '42e01f'), 96);
  });
});

describe('the choice of tracks', () => {
  it('sends the H.265 main stream to whom H265 was offered, the sub stream to others', () => {
    const tracks = [h264Track('42e01e', Track.sub), h265Track(123), pcmuTrack];
    assert.equal(choose(safari, ...tracks).video?.payloadType, 100);
    assert.equal(choose(safari, ...tracks).video?.track.track, Track.main);
    assert.equal(choose(chromium, ...tracks).video?.payloadType, 108);
    assert.equal(choose(chromium, ...tracks).video?.track.track, Track.sub);
  });

  it('sends H.265 only with a profile and level that fit', () => {
    const limited = safari.replace('level-id=93;profile-id=1', 'level-id=120;profile-id=1');
    assert.equal(choose(limited, h265Track(120), pcmuTrack).video?.payloadType, 100);
    assert.equal(choose(limited, h265Track(123), pcmuTrack).video, undefined);
    assert.equal(choose(safari, h265Track(93, 2), pcmuTrack).video, undefined);
    const main10 = safari.replace('level-id=93;profile-id=1', 'level-id=150;profile-id=2');
    assert.equal(choose(main10, h265Track(93), pcmuTrack).video?.payloadType, 100);
    const multiStream = safari.replace('tx-mode=SRST', 'tx-mode=MRST');
    assert.equal(choose(multiStream, h265Track(93), pcmuTrack).video, undefined);
  });

  it('prefers the main stream when both are H.264', () => {
    const choice = choose(chromium, h264Track('42e01e', Track.sub), h264Track('42e01f', Track.main));
    assert.equal(choice.video?.track.track, Track.main);
    const main = h264Track('64001f', Track.main);
    const sub = h264Track('42e01e', Track.sub);
    assert.equal(choose(firefox, main, sub).video?.track.track, Track.sub);
  });

  it('prefers the sub stream when the viewer wants it, and sends what it can decode all the same', () => {
    const ofStream = (sdp: string, ...tracks: TrackInfo[]): number | undefined =>
      chooseMedia(parseOffer(sdp), tracks, 'sub').video?.track.track;
    const main = h264Track('42e01f', Track.main);
    assert.equal(ofStream(chromium, main, h264Track('42e01e', Track.sub), pcmuTrack), Track.sub);
    assert.equal(ofStream(firefox, main, h264Track('4d001f', Track.sub)), Track.main);
    assert.equal(ofStream(chromium, main), Track.main);
  });

  it('passes PCMU and PCMA through as the camera has them', () => {
    assert.equal(choose(chromium, pcmuTrack).audio?.payloadType, 0);
    assert.equal(choose(chromium, pcmaTrack).audio?.payloadType, 8);
    assert.equal(choose(readOffer('node-datachannel-like'), pcmuTrack).audio?.rtpmap, 'PCMU/8000');
  });

  it('answers the part that can be served', () => {
    const soundOnly = choose(chromium.replaceAll('H264/90000', 'H263/90000'), h264Track('42e01f'), pcmuTrack);
    assert.equal(soundOnly.video, undefined);
    assert.equal(soundOnly.audio?.payloadType, 0);
    const pictureOnly = choose(readOffer('node-datachannel-like'), h264Track('42e01f'), pcmaTrack);
    assert.equal(pictureOnly.video?.payloadType, 96);
    assert.equal(pictureOnly.audio, undefined);
    assert.equal(choose(readOffer('chromium-audio-only'), h264Track('42e01f'), pcmuTrack).video, undefined);
    assert.ok(choose(readOffer('chromium-sendrecv'), h264Track('42e01f'), pcmuTrack).video);
  });

  it('serves one section when the offer has no BUNDLE group', () => {
    const apart = editLines(chromium, line => (line.startsWith('a=group') ? undefined : line));
    const choice = choose(apart, h264Track('42e01f'), pcmuTrack);
    assert.ok(choice.video);
    assert.equal(choice.audio, undefined);
  });

  it('says what was offered and what the camera has when there is nothing in common', () => {
    const sdp = editLines(chromium, line => line.replace(/H264|PCMU|PCMA/, 'X'));
    const noStatic = sdp.replace(/(m=audio .*) 0 8 /, '$1 ');
    assert.throws(
      () => choose(noStatic, h264Track('64001f'), pcmuTrack),
      (error: { details: { offered: string; camera: string } }) => {
        assert.ok(isError('codec-unsupported')(error));
        assert.match(error.details.offered, /VP8, RTX, VP9/);
        assert.equal(error.details.camera, 'H264 profile-level-id 64001f, PCMU');
        return true;
      },
    );
  });

  it('takes the feedback and the header extensions that were offered', () => {
    const { video, audio } = choose(safari, h264Track('42e01f'), pcmuTrack);
    assert.deepEqual(video?.feedback, { nack: true, pli: true, fir: true });
    assert.deepEqual([video?.playoutDelayId, video?.absCaptureTimeId], [5, 13]);
    assert.deepEqual([audio?.playoutDelayId, audio?.absCaptureTimeId], [undefined, 13]);
    const twoBytes = safari.replaceAll('a=extmap:13 ', 'a=extmap:15 ');
    assert.equal(choose(twoBytes, h264Track('42e01f')).video?.absCaptureTimeId, undefined);
    const sendOnly = safari.replace('a=extmap:5 ', 'a=extmap:5/sendonly ');
    assert.equal(choose(sendOnly, h264Track('42e01f')).video?.playoutDelayId, undefined);
    assert.equal(choose(firefox, h264Track('42e01f')).video?.playoutDelayId, 6);
  });
});
