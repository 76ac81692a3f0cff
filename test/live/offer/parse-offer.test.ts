import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOffer } from '../../../src/live/offer/parse-offer.ts';
import { editLines, isError, offerNames, readOffer } from './offer-fixture.ts';

const chromium = readOffer('chromium-recvonly');

/** Replaces the lines that begin with `start`. */
function replaced(start: string, line: string | undefined, sdp = chromium): string {
  return editLines(sdp, text => (text.startsWith(start) ? line : text));
}

/** Asserts that an offer is refused with a sentence, within faults.md's 50 ms at the best of a few tries. */
function refuses(sdp: string, message: RegExp): void {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5 && bestMs >= 50; i++) {
    const startMs = performance.now();
    assert.throws(() => parseOffer(sdp), isError('sdp-invalid', message));
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  assert.ok(bestMs < 50, `${bestMs} ms`);
}

describe('an offer', () => {
  it('of every browser is read, except one without media', () => {
    for (const name of offerNames) {
      if (name === 'chromium-data-only') continue;
      const offer = parseOffer(readOffer(name));
      assert.ok(
        offer.sections.some(section => section.isReceivable),
        name,
      );
      for (const section of offer.sections) assert.ok(section.transport, name);
    }
  });

  it('of Chromium gives sections, formats, feedback and extensions', () => {
    const offer = parseOffer(chromium);
    const [video, audio] = offer.sections;
    assert.deepEqual(offer.bundle, ['0', '1']);
    assert.equal(video?.kind, 'video');
    assert.equal(video.direction, 'recvonly');
    const h264 = video.formats.find(format => format.payloadType === 108);
    assert.equal(h264?.encoding, 'H264');
    assert.equal(h264.parameters.get('profile-level-id'), '42e01f');
    assert.ok(h264.feedback.has('nack pli') && h264.feedback.has('ccm fir'));
    assert.equal(video.extensions.get('http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'), 5);
    assert.equal(video.transport?.setup, 'actpass');
    assert.equal(video.transport.ufrag, 'wpw2');
    assert.equal(video.transport.fingerprints.length, 1);
    assert.equal(audio?.formats.find(format => format.payloadType === 0)?.encoding, 'PCMU');
    assert.deepEqual([offer.candidates.length, offer.droppedCandidates], [0, 4]);
  });

  it('of Firefox inherits the fingerprint from the session and takes a bundle-only section', () => {
    const offer = parseOffer(readOffer('firefox-like'));
    assert.equal(offer.sections[1]?.isRejected, false);
    assert.equal(offer.sections[1]?.isReceivable, true);
    assert.equal(offer.sections[1]?.transport?.fingerprints.length, 1);
    assert.equal(offer.endOfCandidates, true);
    assert.deepEqual(
      offer.candidates.map(({ address, type }) => `${address} ${type}`),
      ['2001:db8::7 host', '192.0.2.7 host', '198.51.100.9 srflx'],
    );
  });

  it('knows static payload types without an rtpmap', () => {
    const offer = parseOffer(readOffer('node-datachannel-like'));
    assert.equal(offer.sections[1]?.formats[0]?.encoding, 'PCMU');
    assert.equal(offer.sections[1]?.formats[0]?.clockRate, 8000);
  });

  it('lets a bundled section inherit the transport of the section that carries it', () => {
    let section = -1;
    const sdp = editLines(chromium, line => {
      if (line.startsWith('m=')) section++;
      return section === 1 && /^a=(ice-|fingerprint|setup)/.test(line) ? undefined : line;
    });
    assert.equal(parseOffer(sdp).sections[1]?.transport?.ufrag, 'wpw2');
  });

  it('marks a section with port 0 as rejected and asks nothing more of it', () => {
    const sdp = `${replaced('m=audio', 'm=audio 0 UDP/TLS/RTP/SAVPF 0')}`;
    const offer = parseOffer(sdp);
    assert.equal(offer.sections[1]?.isRejected, true);
    assert.equal(offer.sections[1]?.isReceivable, false);
  });

  it('says that the offerer is ICE-lite', () => {
    assert.equal(parseOffer(chromium).iceLite, false);
    assert.equal(parseOffer(replaced('t=0 0', 't=0 0\r\na=ice-lite')).iceLite, true);
  });

  it('may end without its last CRLF', () => {
    assert.ok(parseOffer(chromium.slice(0, -2)));
  });
});

describe('an offer is refused, in words,', () => {
  it('when it is empty, no SDP, or longer than 64 KiB', () => {
    refuses('', /empty/);
    refuses('hello', /CRLF/);
    refuses('x'.repeat(65_537), /too long/);
    refuses('x'.repeat(1024 * 1024), /too long/);
    refuses('\u00e9'.repeat(40_000), /too long/);
  });

  it('when its lines end in LF only, or in CR', () => {
    refuses(chromium.replaceAll('\r\n', '\n'), /CRLF/);
    refuses(chromium.replaceAll('\r\n', '\r'), /CRLF/);
    refuses(chromium.replace('s=-\r\n', 's=-\n'), /CRLF/);
  });

  it('when it holds NUL or another control character', () => {
    refuses(chromium.replace('s=-', 's=\0'), /control character/);
    refuses(chromium.replace('s=-', 's=\u001b[2J'), /control character/);
    refuses(chromium.replace('s=-', 's=\t'), /control character/);
  });

  it('when it has 10,000 lines or one of 5 KiB', () => {
    refuses(`${chromium}${'a=x\r\n'.repeat(10_000)}`, /too many lines/);
    refuses(`${chromium}a=${'x'.repeat(5 * 1024)}\r\n`, /line .* too long/);
  });

  it('when a line is not of the form type=value, or stands at a wrong place', () => {
    refuses(`${chromium}nonsense\r\n`, /type=value/);
    refuses(`${chromium}\r\n\r\n`, /type=value/);
    refuses(`${chromium}x=1\r\n`, /type=value/);
    refuses(`${chromium}v=0\r\n`, /wrong place/);
    refuses(replaced('v=0', 'v=1'), /v=0/);
    refuses(replaced('s=-', undefined), /s= line/);
  });

  it('when it has more candidates or media sections than allowed', () => {
    const candidates = (count: number): string =>
      `${replaced('a=candidate', undefined)}${'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n'.repeat(count)}`;
    assert.ok(parseOffer(candidates(50)));
    refuses(candidates(51), /too many candidates/);
    const media = (count: number): string => {
      const head = editLines(chromium, line => (line.startsWith('a=group') ? undefined : line));
      const section = head.slice(head.indexOf('m=audio')).replace('a=mid:1\r\n', '');
      const rest = Array.from({ length: count - 2 }, (_, i) => `${section}a=mid:x${i}\r\n`);
      return `${head}${rest.join('')}`;
    };
    assert.equal(parseOffer(media(4)).sections.length, 4);
    refuses(media(5), /too many media sections/);
    refuses(`${chromium}${'m=audio 9 RTP/SAVPF 0\r\n'.repeat(1000)}`, /too many media sections/);
  });

  it('when mids are missing, malformed or repeated, or BUNDLE names one that is not there', () => {
    refuses(replaced('a=mid:1', undefined), /no a=mid/);
    refuses(replaced('a=mid:1', 'a=mid:'), /malformed a=mid/);
    refuses(replaced('a=mid:1', `a=mid:${'x'.repeat(33)}`), /malformed a=mid/);
    refuses(replaced('a=mid:1', 'a=mid:0'), /same a=mid/);
    refuses(replaced('a=group', 'a=group:BUNDLE 0 2'), /not there/);
    refuses(replaced('a=group', 'a=group:BUNDLE 0 0'), /twice/);
  });

  it('when ICE credentials are missing or of a wrong length', () => {
    refuses(replaced('a=ice-ufrag', undefined), /ice-ufrag/);
    refuses(replaced('a=ice-pwd', undefined), /ice-pwd/);
    refuses(
      editLines(chromium, line => (/^a=ice-(ufrag|pwd)/.test(line) ? undefined : line)),
      /no a=ice-ufrag/,
    );
    refuses(replaced('a=ice-ufrag', 'a=ice-ufrag:abc'), /4 to 256/);
    refuses(replaced('a=ice-ufrag', `a=ice-ufrag:${'a'.repeat(257)}`), /4 to 256/);
    refuses(replaced('a=ice-ufrag', 'a=ice-ufrag:ab:cd'), /letters/);
    refuses(replaced('a=ice-pwd', `a=ice-pwd:${'a'.repeat(21)}`), /22 to 256/);
  });

  it('when it lacks a SHA-256 fingerprint', () => {
    refuses(replaced('a=fingerprint', undefined), /no a=fingerprint/);
    refuses(replaced('a=fingerprint', `a=fingerprint:sha-1 ${'AB:'.repeat(19)}AB`), /SHA-256/);
    refuses(replaced('a=fingerprint', `a=fingerprint:sha-256 ${'AB:'.repeat(30)}AB`), /32 bytes/);
    refuses(replaced('a=fingerprint', 'a=fingerprint:sha-256'), /32 bytes/);
  });

  it('when its setup role is missing or holdconn', () => {
    refuses(replaced('a=setup', undefined), /no a=setup/);
    refuses(replaced('a=setup', 'a=setup:holdconn'), /actpass, active or passive/);
  });

  it('when RTCP would need a port of its own', () => {
    refuses(replaced('a=rtcp-mux', undefined), /rtcp-mux/);
  });

  it('when a payload type is out of range or repeated', () => {
    const audio = (types: string): string => replaced('m=audio', `m=audio 9 UDP/TLS/RTP/SAVPF ${types}`);
    refuses(audio('999'), /0 to 127/);
    refuses(audio('-1'), /0 to 127/);
    refuses(audio('0 0'), /twice/);
    refuses(audio('zero'), /0 to 127/);
    refuses(replaced('a=rtpmap:0 ', 'a=rtpmap:999 PCMU/8000'), /0 to 127/);
    refuses(replaced('a=rtpmap:0 ', 'a=rtpmap:-1 PCMU/8000'), /0 to 127/);
  });

  it('when an attribute that it needs is malformed', () => {
    refuses(replaced('a=rtpmap:0 ', 'a=rtpmap:0 PCMU'), /a=rtpmap/);
    refuses(replaced('a=fmtp:108', 'a=fmtp:108'), /a=fmtp/);
    refuses(replaced('a=extmap:5', 'a=extmap:0 urn:x'), /bad or repeated id/);
    refuses(replaced('a=extmap:5', 'a=extmap:4 urn:x'), /bad or repeated id/);
    refuses(replaced('a=candidate', 'a=candidate:1 1 udp x 192.0.2.1 5000 typ host'), /candidate/);
    refuses(replaced('m=audio', 'm=audio x UDP/TLS/RTP/SAVPF 0'), /media line/);
    refuses(replaced('a=recvonly', 'a=recvonly\r\na=sendonly'), /more than one direction/);
    refuses(replaced('a=mid:0', 'a=mid:0\r\na=mid:0'), /two a=mid/);
  });

  it('when it has a data channel only, no media, or nothing that it wants to receive', () => {
    refuses(readOffer('chromium-data-only'), /no video or audio/);
    refuses('v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n', /no media section/);
    refuses(replaced('a=recvonly', 'a=sendonly'), /recvonly or sendrecv/);
    refuses(replaced('a=recvonly', 'a=inactive'), /recvonly or sendrecv/);
  });

  it('with details that are short and printable', () => {
    const sdp = replaced('a=setup', `a=setup:\u202e${'<'.repeat(300)}`);
    assert.throws(
      () => parseOffer(sdp),
      (error: { details: { setup: string } }) => {
        assert.equal(error.details.setup, `?${'<'.repeat(79)}`);
        return true;
      },
    );
  });
});
