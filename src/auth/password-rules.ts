/**
 * What a password may be: few rules, each with a reason (NIST SP 800-63B §5.1.1.2 as far as a camera can hold it).
 *
 * A least length, a bound on the work of one hash, not the user name itself, nothing that cannot be typed again. No
 * rules on kinds of characters, no expiry. The form that counts is NFC, and lengths are code points: 64 emoji are 64.
 * Pure; only for new passwords: at log-in whatever comes is compared.
 */
import { CameraError } from '../base/errors.ts';

/** Most code points: far beyond any passphrase, and a bound on what is hashed. */
export const passwordLengthMax = 128;

/** What is longer than any way to write so many code points is refused before it is normalised. */
const unitsMax = 16 * passwordLengthMax;

/** The rule that was broken, as the error's details name it. */
export type PasswordRule = 'text' | 'too-short' | 'too-long' | 'equals-email';

/**
 * The password in NFC. Throws `password-unacceptable` with details `{rule}`, and `{lengthMin}` or `{lengthMax}` where
 * the rule has a number.
 *
 * @param lengthMin fewest code points, from the configuration.
 */
export function acceptablePassword(password: string, options: { email: string; lengthMin: number }): string {
  const { email, lengthMin } = options;
  if (password.length > unitsMax) throw tooLong();
  if (!password.isWellFormed() || /\p{Cc}/u.test(password))
    throw unacceptable('text', 'the password has characters that cannot be typed');
  const normal = password.normalize('NFC');
  const length = Array.from(normal).length;
  if (length < lengthMin)
    throw unacceptable('too-short', `the password needs at least ${lengthMin} characters`, { lengthMin });
  if (length > passwordLengthMax) throw tooLong();
  if (folded(normal) === folded(email))
    throw unacceptable('equals-email', 'the password must not be the e-mail address');
  return normal;
}

function tooLong(): CameraError {
  const message = `the password may have at most ${passwordLengthMax} characters`;
  return unacceptable('too-long', message, { lengthMax: passwordLengthMax });
}

function unacceptable(
  rule: PasswordRule,
  message: string,
  numbers: Record<string, number> = {},
): CameraError {
  return new CameraError('password-unacceptable', message, { rule, ...numbers });
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase().trim();
}
