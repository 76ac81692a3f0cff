import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transportOf, writeAnswer } from '../../../src/live/offer/answer.ts';
import { chooseMedia } from '../../../src/live/offer/codec-choice.ts';
import { parseOffer } from '../../../src/live/offer/parse-offer.ts';
import { editLines, h264Track, offerNames, pcmuTrack, readOffer } from './offer-fixture.ts';

const local = {
  ufrag: 'camU',
  pwd: 'p'.repeat(24),
  fingerprint: `${'AB:'.repeat(31)}AB`,
  setup: 'active',
  candidates: ['candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host'],
} as const;

function answer(sdp: string): string {
  const offer = parseOffer(sdp);
  const choice = chooseMedia(offer, [h264Track('42e01f'), pcmuTrack]);
  const ssrc = { video: 11, audio: 22 };
  return writeAnswer({ offer, choice, local, sessionNumber: 7n, cname: 'cam', streamId: 'live', ssrc });
}

/** The sections of a description, each as its lines; the session's part first. */
function sections(sdp: string): string[][] {
  return sdp.split(/\r\n(?=m=)/).map(part => part.split('\r\n').filter(line => line !== ''));
}

describe('the answer', () => {
  it('to Chromium is complete, with one payload type a section', () => {
    const [session, video, audio] = sections(answer(readOffer('chromium-recvonly')));
    assert.deepEqual(session, [
      'v=0',
      'o=- 7 1 IN IP4 0.0.0.0',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0 1',
      'a=ice-options:ice2',
      'a=msid-semantic:WMS live',
    ]);
    assert.deepEqual(video, [
      'm=video 9 UDP/TLS/RTP/SAVPF 108',
      'c=IN IP4 0.0.0.0',
      'a=rtcp:9 IN IP4 0.0.0.0',
      'a=ice-ufrag:camU',
      `a=ice-pwd:${local.pwd}`,
      `a=fingerprint:sha-256 ${local.fingerprint}`,
      'a=setup:active',
      'a=mid:0',
      'a=sendonly',
      'a=rtcp-mux',
      'a=rtpmap:108 H264/90000',
      'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
      'a=rtcp-fb:108 nack',
      'a=rtcp-fb:108 nack pli',
      'a=rtcp-fb:108 ccm fir',
      'a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
      'a=msid:live video',
      'a=ssrc:11 cname:cam',
      `a=${local.candidates[0]}`,
      'a=end-of-candidates',
    ]);
    assert.equal(audio?.[0], 'm=audio 9 UDP/TLS/RTP/SAVPF 0');
    assert.ok(audio.includes('a=ssrc:22 cname:cam'));
    assert.ok(!audio.some(line => line.includes('candidate')));
  });

  it('has the sections of the offer in its order and rejects what is not served with port 0', () => {
    for (const name of offerNames) {
      if (name === 'chromium-data-only') continue;
      const sdp = readOffer(name);
      const kinds = (text: string): string[] =>
        sections(text)
          .slice(1)
          .map(lines => lines[0]!.split(' ')[0]!);
      assert.deepEqual(kinds(answer(sdp)), kinds(sdp), name);
    }
    const [session, video, data] = sections(answer(readOffer('chromium-with-data')));
    assert.ok(session?.includes('a=group:BUNDLE 0'));
    assert.equal(data?.[0], 'm=application 0 UDP/DTLS/SCTP webrtc-datachannel');
    assert.ok(data.includes('a=mid:1'));
    assert.match(video![0]!, /^m=video 9 /);
    assert.ok(video!.includes('a=end-of-candidates'));
  });

  it('ends every line in CRLF and is a description that we could read', () => {
    const text = answer(readOffer('firefox-like'));
    assert.ok(text.endsWith('\r\n'));
    assert.ok(!/[^\r]\n/.test(text));
    assert.equal(parseOffer(text.replaceAll('sendonly', 'sendrecv')).sections.length, 2);
  });

  it('has no BUNDLE group where none was offered', () => {
    const apart = editLines(readOffer('chromium-recvonly'), line =>
      line.startsWith('a=group') ? undefined : line,
    );
    const [session, video, audio] = sections(answer(apart));
    assert.ok(!session?.some(line => line.startsWith('a=group')));
    assert.match(video![0]!, /^m=video 9 /);
    assert.match(audio![0]!, /^m=audio 0 /);
  });

  it('uses the transport of the first accepted section of the group', () => {
    // The group's transport is that of the data channel, which we reject; RFC 9143 goes on to the next.
    const offered = readOffer('chromium-with-data').replace('BUNDLE 0 1', 'BUNDLE 1 0');
    const at = offered.indexOf('m=application');
    const sdp = offered.slice(0, at) + offered.slice(at).replace(/a=ice-ufrag:.{4}/, 'a=ice-ufrag:DATA');
    const offer = parseOffer(sdp);
    const choice = chooseMedia(offer, [h264Track('42e01f')]);
    assert.notEqual(transportOf(offer, choice).ufrag, 'DATA');
    assert.equal(transportOf(offer, choice), offer.sections[0]?.transport);
  });
});
