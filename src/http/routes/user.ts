/**
 * The user: created once, logs in and out, resets the password (contract.md §1 to §5). What is right lies in auth/; here
 * are the seed's fields, and nothing that is not among them leaves.
 *
 * The seed prints passwords as numbers (`12345`, `123456`): a whole number means its decimal digits. Log-out answers an
 * empty object, since the seed prints no body and clients parse what they get.
 */
import type { NewUser, User } from '../../auth/user-record.ts';
import { CameraError } from '../../base/errors.ts';
import type { AnswerOf, Handlers, RequestBody } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import { formatRfc3339 } from '../rfc3339.ts';
import type { HttpServices } from '../services.ts';

type Operations = 'createUser' | 'obtainToken' | 'refreshToken' | 'logOut' | 'resetPassword';

/** The operations on the user and the sessions. */
export function userHandlers({ accounts }: Pick<HttpServices, 'accounts'>): Pick<Handlers, Operations> {
  return {
    async createUser({ token, body, caller }) {
      const user = await accounts.createUser(token ?? '', newUser(body), caller);
      return jsonReply(shown(user));
    },
    async obtainToken({ headers, caller }) {
      const { token, validUntilUnixMs } = await accounts.logIn(headers.single('authorization'), caller);
      const body: AnswerOf<'obtainToken'> = {
        access_token: token,
        valid_until: formatRfc3339(validUntilUnixMs),
      };
      return jsonReply(body);
    },
    async refreshToken({ session }) {
      const body: AnswerOf<'refreshToken'> = { valid_until: formatRfc3339(await accounts.refresh(session)) };
      return jsonReply(body);
    },
    async logOut({ session, caller }) {
      await accounts.logOut(session, caller);
      return jsonReply({});
    },
    async resetPassword({ session, body, caller }) {
      return jsonReply(shown(await accounts.resetPassword(session, passwordText(body), caller)));
    },
  };
}

function newUser(body: RequestBody<'createUser'>): NewUser {
  return { ...body, password: passwordText(body.password) };
}

/** Throws CameraError `password-unacceptable` for a number that has no digits of its own, as 1.5 or 2^60. */
function passwordText(password: string | number): string {
  if (typeof password === 'string') return password;
  if (!Number.isSafeInteger(password) || password < 0)
    throw new CameraError('password-unacceptable', 'a password that is a number must be a whole one', {
      rule: 'number',
    });
  return String(password);
}

/** The seed's fields without the password, whatever else the user has. */
function shown({ id, firstName, lastName, email, phone }: User): AnswerOf<'createUser'> {
  return { id, firstName, lastName, email, phone };
}
