/**
 * What to say of a new password while it is typed: what the camera requires, and what is advised. Pure.
 *
 * The camera requires little (5 characters unless configured otherwise), because the API that it keeps to does. Advised
 * are 12 characters; kinds of characters are not counted (NIST SP 800-63B §5.1.1.2), only how many different ones.
 */

/** Characters (code points) that the camera requires unless it says otherwise, allows, and that are advised. */
export const lengthRequired = 5;
const lengthMax = 128;
export const lengthAdvised = 12;

/** Fewer different characters than this are guessed early, however many there are. */
const differentAdvised = 5;

/**
 * @param {{ password: string, email?: string, required?: number }} given `required` as the camera has said, if it has.
 * @returns {{ level: 'none' | 'refused' | 'weak' | 'good', text: string, meter: number }} `refused`: the camera would not
 * take it; `meter` from 0 to {@link lengthAdvised}.
 */
export function adviseOnPassword({ password, email = '', required = lengthRequired }) {
  const characters = Array.from(password.normalize('NFC'));
  const { length } = characters;
  const meter = Math.min(length, lengthAdvised);
  const advice = (level, text) => ({
    level,
    text,
    meter: level === 'good' ? lengthAdvised : Math.min(meter, 11),
  });
  if (length === 0)
    return advice(
      'none',
      `Required: ${required} characters. Advised: ${lengthAdvised} or more, for example four words that do not belong together.`,
    );
  if (length < required)
    return advice(
      'refused',
      `Too short: the camera requires ${required} characters, and ${lengthAdvised} are advised.`,
    );
  if (length > lengthMax) return advice('refused', `Too long: the camera takes ${lengthMax} characters.`);
  if (/[\p{Cc}\p{Cs}]/u.test(password))
    return advice('refused', 'It has a character that cannot be typed again.');
  if (folded(password) === folded(email)) return advice('refused', 'It must not be the e-mail address.');
  if (length < lengthAdvised)
    return advice(
      'weak',
      `Enough for the camera, but easy to guess: ${lengthAdvised} characters or more are advised.`,
    );
  if (new Set(characters).size < differentAdvised)
    return advice('weak', 'Long enough, but easy to guess: use more different characters.');
  return advice('good', 'A good length.');
}

function folded(text) {
  return text.normalize('NFC').toLowerCase().trim();
}
