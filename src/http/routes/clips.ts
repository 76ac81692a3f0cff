/**
 * Clips: `GET /api/v1/media/vod/{start}/{end}` (contract.md §11, §12) and links to them, `POST /api/v1/media/vod/link`.
 *
 * A clip opens by the token, or by a signed link: a `<video>` element and most players can send no header. A link is bound
 * to one path and query, with both times written out, so that `now` means the moment of signing for as long as it lives.
 * The same URL answers the file, a part of it, or (to `Accept: application/json`) a manifest of what it is.
 */
import { CameraError } from '../../base/errors.ts';
import type { WallSpan } from '../../clips/clip-types.ts';
import { parseClipRange } from '../clip-time.ts';
import type { Clip } from '../clips/clip.ts';
import { ClipService } from '../clips/clip-service.ts';
import { resolutionOf, streamNumbers, videoCodecOf } from '../clips/names.ts';
import { nearestTo } from '../clips/timeline.ts';
import type { HeaderFields } from '../header-fields.ts';
import type { AnswerOf, Handlers, QueryParameters } from '../operations.ts';
import { prefersJson } from '../prefers-json.ts';
import { RequestFault } from '../problems.ts';
import { answerTo } from '../ranges.ts';
import { type AnyReply, jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Services = Pick<HttpServices, 'accounts' | 'clock' | 'recordings'>;
type Query = QueryParameters<'downloadClip'>;
type Options = Pick<Query, 'format' | 'audio' | 'stream'>;

const clipsPath = '/api/v1/media/vod';

/** The operations "download recording" and "create a link to a recording". */
export function clipHandlers(services: Services): Pick<Handlers, 'downloadClip' | 'createClipLink'> {
  const { accounts, clock, recordings } = services;
  const clips = new ClipService(services);
  return {
    async downloadClip({ parameters, query, session, headers, isHead }) {
      const { start, end } = parameters;
      if (!session && !accounts.verifyLink(clipTarget(start, end, query), query.link ?? ''))
        throw new CameraError('link-invalid', 'the link does not open this clip');
      const range = parseClipRange(start, end, clock.wallUnixMs());
      const request = {
        ...range,
        stream: streamNumbers[query.stream ?? 'main'],
        format: query.format ?? 'mp4',
        audio: query.audio ?? 'flac',
      };
      const clip = await clips.find(request, { isNow: end === 'now' });
      if (!clip) throw notFound(nearestTo(recordings.index, request.stream, range));
      const location = clipTarget(formatRfc3339(range.startUnixMs), formatRfc3339(range.endUnixMs), query);
      const common = { 'content-location': location, vary: 'accept' };
      if (prefersJson(headers.all('accept')))
        return jsonReply(manifestOf(clip, location, query), { headers: common });
      return clipReply(clips, clip, { headers, isHead, common });
    },
    createClipLink({ body }) {
      const { startUnixMs, endUnixMs } = parseClipRange(
        String(body.start),
        String(body.end),
        clock.wallUnixMs(),
      );
      const target = clipTarget(formatRfc3339(startUnixMs), formatRfc3339(endUnixMs), body);
      const { token, validUntilUnixMs } = accounts.signLink(target);
      const answer: AnswerOf<'createClipLink'> = {
        url: withLink(target, token),
        valid_until: formatRfc3339(validUntilUnixMs),
      };
      return jsonReply(answer);
    },
  };
}

/** The file, a part of it, or why not. */
function clipReply(
  clips: ClipService,
  clip: Clip,
  request: {
    readonly headers: HeaderFields;
    readonly isHead: boolean;
    readonly common: Readonly<Record<string, string>>;
  },
): AnyReply {
  const { lengthBytes } = clip.layout;
  const answer = answerTo(request.headers, lengthBytes, clip.etag, { isHead: request.isHead });
  if (answer.status === 412) throw new RequestFault('precondition-failed');
  if (answer.status === 416)
    throw new RequestFault('range-unsatisfiable', {}, { 'content-range': `bytes */${lengthBytes}` });
  const headers = { ...request.common, etag: clip.etag };
  if (!('from' in answer)) return { status: 304, headers, body: '' };
  const { status, from, to } = answer;
  return {
    status,
    headers: {
      ...headers,
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="${fileNameOf(clip)}"`,
      ...(status === 206 ? { 'content-range': `bytes ${from}-${to - 1}/${lengthBytes}` } : {}),
    },
    lengthBytes: to - from,
    stream: clips.read(clip, from, to),
  };
}

/** As camera-20261123T051500Z.mp4. */
function fileNameOf({ startUnixMs }: Clip): string {
  const time = formatRfc3339(startUnixMs).replace(/\.[0-9]+Z$/, 'Z');
  return `camera-${time.replaceAll(/[-:]/g, '')}.mp4`;
}

function manifestOf(clip: Clip, location: string, query: Query): AnswerOf<'downloadClip'> {
  const { segment, layout, etag, fragments } = clip;
  const audio = (query.audio ?? 'flac') === 'raw' ? 'G.711' : 'FLAC';
  return {
    ...timesOf(clip),
    duration: clip.durationMs / 1000,
    stream: query.stream ?? 'main',
    format: query.format ?? 'mp4',
    gaps: clip.gaps().map(timesOf),
    video_codec: videoCodecOf(segment),
    resolution: resolutionOf(segment),
    audio_codec: clip.hasAudio ? audio : null,
    fragments,
    length_bytes: layout.lengthBytes,
    etag,
    url: query.link === undefined ? location : withLink(location, query.link),
    left_out: clip.leftOut.map(each => ({ ...timesOf(each), reason: 'codec' })),
  };
}

function timesOf({ startUnixMs, endUnixMs }: WallSpan): { start: string; end: string } {
  return { start: formatRfc3339(startUnixMs), end: formatRfc3339(endUnixMs) };
}

function notFound(nearest: ReturnType<typeof nearestTo>): CameraError {
  const text = (unixMs: number | null): string | null => (unixMs === null ? null : formatRfc3339(unixMs));
  return new CameraError('recording-not-found', 'nothing is recorded in that range', {
    nearest_before: text(nearest.beforeUnixMs),
    nearest_after: text(nearest.afterUnixMs),
  });
}

/** What a link signs: path and query, the options in a fixed order, encoded in one way whatever the client did. */
function clipTarget(start: string, end: string, { format, audio, stream }: Options): string {
  const options = new URLSearchParams();
  if (format !== undefined) options.set('format', format);
  if (audio !== undefined) options.set('audio', audio);
  if (stream !== undefined) options.set('stream', stream);
  return `${clipsPath}/${encodeURIComponent(start)}/${encodeURIComponent(end)}${options.size > 0 ? `?${options}` : ''}`;
}

function withLink(target: string, link: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}link=${encodeURIComponent(link)}`;
}
