/**
 * Whether a request's Accept (RFC 9110 §12.5.1) asks for a document about a video in place of the video. Pure.
 *
 * JSON has to be named, and to weigh more than the video: many libraries send `application/json, text/plain` and anything else with
 * everything they fetch, a download among it.
 */

/** The values of all Accept fields of a request; none: anything is fine. */
export function prefersJson(accept: readonly string[]): boolean {
  const ranges = accept.flatMap(value => value.split(',')).map(parse);
  const json = weightOf(ranges, 'application', 'json');
  return json > 0 && json > weightOf(ranges, 'video', 'mp4');
}

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly weight: number;
}

/** The weight of the most specific range that has the type; 0 when none does. */
function weightOf(ranges: readonly MediaRange[], type: string, subtype: string): number {
  const candidates = [
    ranges.find(range => range.type === type && range.subtype === subtype),
    ranges.find(range => range.type === type && range.subtype === '*'),
    ranges.find(range => range.type === '*' && range.subtype === '*'),
  ];
  return candidates.find(candidate => candidate !== undefined)?.weight ?? 0;
}

function parse(text: string): MediaRange {
  const [range = '', ...parameters] = text.toLowerCase().split(';');
  const [type = '', subtype = ''] = range.trim().split('/');
  const weight = parameters.map(each => /^\s*q=([01](?:\.[0-9]{0,3})?)\s*$/.exec(each)?.[1]).find(Boolean);
  return { type, subtype, weight: weight === undefined ? 1 : Number(weight) };
}
