/**
 * `GET /api/v1/user/sessions` and `DELETE /api/v1/user/sessions/{id}`: who is logged in, and how to end that. A session's id
 * opens nothing, because tokens are signed.
 */

import type { AnswerOf, Handlers } from '../operations.ts';
import { RequestFault } from '../problems.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Operations = 'listUserSessions' | 'endUserSession';

/** Both operations. */
export function userSessionsHandlers({
  accounts,
}: Pick<HttpServices, 'accounts'>): Pick<Handlers, Operations> {
  return {
    listUserSessions({ session }) {
      const body: AnswerOf<'listUserSessions'> = {
        sessions: accounts.sessions().map(({ sid, label, validUntilUnixMs }) => ({
          id: sid,
          label,
          is_current: sid === session.sid,
          valid_until: formatRfc3339(validUntilUnixMs),
        })),
      };
      return jsonReply(body);
    },
    async endUserSession({ parameters, caller }) {
      if (!(await accounts.endSession(parameters.id, caller))) throw new RequestFault('not-found');
      return jsonReply({});
    },
  };
}
