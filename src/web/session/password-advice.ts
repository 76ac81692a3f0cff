/**
 * What to say of a new password while it is typed: what this page requires, and how strong it looks. Pure.
 *
 * The camera requires little (5 characters unless configured otherwise), because the API that it keeps to does; this page
 * asks for 12. Kinds of characters are not counted (NIST SP 800-63B §5.1.1.2), only how many different ones there are.
 */

/** Characters (code points) that this page requires unless the camera requires more, and that the camera allows. */
export const lengthRequired = 12;
const lengthMax = 128;

/** From here on a password counts as strong. */
const lengthStrong = 16;

/** Fewer different characters than this are guessed early, however many there are. */
const differentRequired = 5;

export interface PasswordAdvice {
  /** `refused`: this page does not send it. */
  readonly level: 'none' | 'refused' | 'good' | 'strong';
  readonly text: string;
  /** Of the meter, 0 to 4. */
  readonly meter: number;
}

/** @param given `required` as the camera has said, if it has. */
export function adviseOnPassword({
  password,
  email = '',
  required = 0,
}: {
  readonly password: string;
  readonly email?: string;
  readonly required?: number;
}): PasswordAdvice {
  const lengthMin = Math.max(required, lengthRequired);
  const characters = Array.from(password.normalize('NFC'));
  const { length } = characters;
  const refused = (text: string, meter = 1): PasswordAdvice => ({ level: 'refused', text, meter });
  if (length === 0)
    return {
      level: 'none',
      text: `At least ${lengthMin} characters, for example four words that do not belong together.`,
      meter: 0,
    };
  if (length > lengthMax) return refused(`Too long: the camera takes ${lengthMax} characters.`);
  if (/[\p{Cc}\p{Cs}]/u.test(password)) return refused('It has a character that cannot be typed again.');
  if (length < lengthMin) {
    const missing = lengthMin - length;
    return refused(
      `${missing} more ${missing === 1 ? 'character' : 'characters'}, please.`,
      length > 7 ? 2 : 1,
    );
  }
  if (folded(password) === folded(email)) return refused('It must not be the e-mail address.');
  const different = new Set(characters).size;
  if (different < differentRequired)
    return refused('Long enough, but easy to guess: use more different characters.', 2);
  if (length >= lengthStrong && different >= 8)
    return { level: 'strong', text: 'A strong password.', meter: 4 };
  return { level: 'good', text: 'A good password.', meter: 3 };
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase().trim();
}
