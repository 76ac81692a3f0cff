/**
 * Versions of firmware: three numbers, as 1.4.0. Labels behind them are left out, because what is older must never be a
 * matter of taste. Pure.
 */
import { CameraError } from '../base/errors.ts';

/** Each number has up to five digits and no leading zero. */
const form = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/;

/** Whether a text is a version. */
export function isVersion(text: string): boolean {
  return form.test(text);
}

/** Below 0 when the first is older, above when it is newer. Throws `firmware-malformed` for a text that is no version. */
export function compareVersions(one: string, other: string): number {
  const [numbers, others] = [one, other].map(numbersOf) as [number[], number[]];
  for (let i = 0; i < 3; i++) if (numbers[i] !== others[i]) return numbers[i]! - others[i]!;
  return 0;
}

function numbersOf(text: string): number[] {
  const match = form.exec(text);
  if (!match) throw new CameraError('firmware-malformed', 'a version is three numbers');
  return match.slice(1).map(Number);
}
