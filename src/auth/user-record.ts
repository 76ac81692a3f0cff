/**
 * The user: what a client may send, what is stored, what is shown.
 *
 * The e-mail address is the user name. It is stored as its owner wrote it and compared in NFC and without case (contract,
 * point 2); beyond one `@` with something on both sides its form is its owner's business. Control characters, and those
 * that hide or reorder text, are refused everywhere: names are shown on the page and written to the log. Pure.
 */
import { CameraError } from '../base/errors.ts';

/** A user as the API shows it; never with anything of the password. */
export interface User {
  readonly id: number;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly phone: string;
}

/** A user to be created; the password is text by now, whatever JSON type it came in. */
export interface NewUser {
  readonly id?: number;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email: string;
  readonly password: string;
  readonly phone?: string;
}

/** The user in the database. */
export interface UserRecord extends User {
  /** PHC string. */
  passwordHash: string;
  /** Random, another with every password: what was made under an earlier one (signed links, a log-in under way) ends. */
  passwordGeneration: string;
}

/** Bounds in UTF-16 units; RFC 5321 §4.5.3.1 allows 254 characters of an address. */
export const emailLengthMin = 3;
export const emailLengthMax = 254;
export const nameLengthMax = 100;
export const phoneLengthMax = 32;

/** Rule that a field broke, as `details.rule` names it. */
export type UserRule = 'length' | 'form' | 'characters' | 'range';

// Control, format (bidirectional and zero-width ones among them), separator, private, unassigned, lone surrogate.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u;
// What shows as nothing though it is a letter or a mark to Unicode: fillers and the like.
const invisible = /\p{Default_Ignorable_Code_Point}/u;
// A ':' would end the user name in Basic credentials (RFC 7617 §2), so that its owner could never log in.
const emailForm = /^[^@\s:]+@[^@\s:]+$/u;
// Names may be written with joiners (Persian, Indic scripts) and emoji with variation selectors.
const joiners = /\u200c|\u200d|\ufe0e|\ufe0f/gu;

/** The fields that are stored. Throws `user-invalid` with details `{pointer, rule}` (a JSON pointer, RFC 6901). */
export function userFields(user: NewUser): User {
  const { id = 1, firstName = '', lastName = '', email, phone = '' } = user;
  if (!Number.isSafeInteger(id) || id < 0) throw invalid('id', 'range');
  if (email.length < emailLengthMin || email.length > emailLengthMax) throw invalid('email', 'length');
  if (unprintable.test(email) || invisible.test(email)) throw invalid('email', 'characters');
  if (!emailForm.test(email)) throw invalid('email', 'form');
  // NFC can be longer or shorter; what is compared has the same bound.
  if (emailKeyOf(email).length > emailLengthMax) throw invalid('email', 'length');
  return {
    id,
    firstName: text('firstName', firstName, nameLengthMax),
    lastName: text('lastName', lastName, nameLengthMax),
    email,
    phone: text('phone', phone, phoneLengthMax),
  };
}

/** The form in which e-mail addresses are compared. */
export function emailKeyOf(email: string): string {
  return email.normalize('NFC').toLowerCase().normalize('NFC');
}

/** The user without what only the camera may know. */
export function shownUser({ id, firstName, lastName, email, phone }: User): User {
  return { id, firstName, lastName, email, phone };
}

function text(field: string, value: string, lengthMax: number): string {
  if (value.length > lengthMax) throw invalid(field, 'length');
  const plain = value.replace(joiners, '');
  if (unprintable.test(plain) || invisible.test(plain)) throw invalid(field, 'characters');
  return value;
}

function invalid(field: string, rule: UserRule): CameraError {
  return new CameraError('user-invalid', `the user's ${field} cannot be taken`, {
    pointer: `/${field}`,
    rule,
  });
}
