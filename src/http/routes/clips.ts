/**
 * Clips: `GET /api/v1/media/vod/{start}/{end}` (contract.md §11, §12) and links to them, `POST /api/v1/media/vod/link`.
 *
 * A clip opens by the token, or by a signed link: a `<video>` element and most players can send no header. A link is bound
 * to one path and query, with both times written out, so that `now` means the moment of signing for as long as it lives.
 * There is no recorder yet: a range that can be understood holds no recording, and that is the answer.
 */
import { CameraError } from '../../base/errors.ts';
import { parseClipRange } from '../clip-time.ts';
import type { AnswerOf, Handlers, QueryParameters } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Services = Pick<HttpServices, 'accounts' | 'clock'>;

const clipsPath = '/api/v1/media/vod';

/** The operations "download recording" and "create a link to a recording". */
export function clipHandlers({
  accounts,
  clock,
}: Services): Pick<Handlers, 'downloadClip' | 'createClipLink'> {
  return {
    downloadClip({ parameters, query, session }) {
      const { start, end } = parameters;
      if (!session && !accounts.verifyLink(clipTarget(start, end, query), query.link ?? ''))
        throw new CameraError('link-invalid', 'the link does not open this clip');
      parseClipRange(start, end, clock.wallUnixMs());
      // The ends of the nearest recordings, where there are any.
      throw new CameraError('recording-not-found', 'nothing is recorded yet', {
        nearest_before: null,
        nearest_after: null,
      });
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
        url: `${target}${target.includes('?') ? '&' : '?'}link=${encodeURIComponent(token)}`,
        valid_until: formatRfc3339(validUntilUnixMs),
      };
      return jsonReply(answer);
    },
  };
}

/** What a link signs: path and query, the options in a fixed order, encoded in one way whatever the client did. */
function clipTarget(
  start: string,
  end: string,
  { format, audio }: Pick<QueryParameters<'downloadClip'>, 'format' | 'audio'>,
): string {
  const options = new URLSearchParams();
  if (format !== undefined) options.set('format', format);
  if (audio !== undefined) options.set('audio', audio);
  return `${clipsPath}/${encodeURIComponent(start)}/${encodeURIComponent(end)}${options.size > 0 ? `?${options}` : ''}`;
}
