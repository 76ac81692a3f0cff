import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../../src/base/errors.ts';
import { writeAnswer } from '../../../src/live/offer/answer.ts';
import { chooseMedia } from '../../../src/live/offer/codec-choice.ts';
import { parseOffer } from '../../../src/live/offer/parse-offer.ts';
import { h264Track, h265Track, offerNames, pcmuTrack, readOffer } from './offer-fixture.ts';

const offers = offerNames.map(readOffer);
const tracks = [h265Track(93), h264Track('42e01f', 1), pcmuTrack];
const local = {
  ufrag: 'camU',
  pwd: 'p'.repeat(24),
  fingerprint: `${'AB:'.repeat(31)}AB`,
  setup: 'active',
  candidates: ['candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host'],
} as const;

/** Runs an offer through all stages: there may be an answer or a CameraError, nothing else. */
function survives(sdp: string): void {
  try {
    const offer = parseOffer(sdp);
    const choice = chooseMedia(offer, tracks);
    const ssrc = { video: 1, audio: 2 };
    const text = writeAnswer({ offer, choice, local, sessionNumber: 1n, cname: 'c', streamId: 's', ssrc });
    // Nothing of the offer can break out of its line.
    for (const line of text.split('\r\n').slice(0, -1)) assert.match(line, /^[a-z]=[^\r\n\0]*$/);
    assert.equal((text.match(/^m=/gm) ?? []).length, offer.sections.length);
  } catch (error) {
    if (!(error instanceof CameraError)) throw error;
    assert.ok(error.code === 'sdp-invalid' || error.code === 'codec-unsupported');
    for (const value of Object.values(error.details))
      if (typeof value === 'string') assert.match(value, /^[ -~]{0,400}$/);
  }
}

/** One change of a text by lines or by characters. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(), text: fc.constant('') }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), text: fc.constant('') }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), text: fc.constant('') }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.string({ unit: 'binary', maxLength: 20 }),
  }),
  fc.record({ kind: fc.constant('number' as const), at: fc.nat(), text: fc.integer().map(String) }),
);

function mutated(sdp: string, { kind, at, text }: { kind: string; at: number; text: string }): string {
  if (kind === 'insert') {
    const place = at % sdp.length;
    return sdp.slice(0, place) + text + sdp.slice(place + text.length);
  }
  const lines = sdp.split('\r\n');
  const place = at % lines.length;
  if (kind === 'drop') lines.splice(place, 1);
  else if (kind === 'repeat') lines.splice(place, 0, lines[place]!);
  else if (kind === 'swap') lines.splice(place, 0, lines.splice((at * 7) % lines.length, 1)[0]!);
  else lines[place] = lines[place]!.replace(/\d+/, text);
  return lines.join('\r\n');
}

describe('whatever comes as an offer', () => {
  it('as a browser offer with up to six changes gives an answer or a CameraError', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...offers),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (sdp, changes) => survives(changes.reduce(mutated, sdp)),
      ),
      { numRuns: 1500 },
    );
  });

  it('as random text gives a CameraError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), sdp => survives(sdp)),
      { numRuns: 500 },
    );
  });

  it('as random lines of the grammar gives an answer or a CameraError', () => {
    const line = fc.oneof(
      fc.constantFrom(...offers.flatMap(sdp => sdp.split('\r\n'))),
      fc
        .tuple(fc.constantFrom(...'mabcv'), fc.string({ maxLength: 30 }))
        .map(([type, value]) => `${type}=${value}`),
    );
    const head = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), lines => survives([...head, ...lines, ''].join('\r\n'))),
      { numRuns: 800 },
    );
  });
});
