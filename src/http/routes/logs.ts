/** `GET /api/v1/system/logs`: the newest lines of the log, for the owner (telemetry/log-tail.ts). */
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

/** The operation "the end of the log". */
export function logsHandlers({ logTail }: Pick<HttpServices, 'logTail'>): Pick<Handlers, 'getLogs'> {
  return {
    getLogs({ query }) {
      const body: AnswerOf<'getLogs'> = {
        entries: logTail
          .after(query.after ?? 0)
          .map(({ unixMs, ...entry }) => ({ ...entry, time: formatRfc3339(unixMs) })),
        last: logTail.last,
      };
      return jsonReply(body);
    },
  };
}
