/**
 * What the log-in sends: user name, password and the name of this device as HTTP Basic (RFC 7617) in UTF-8. Pure.
 *
 * The camera reads the part after the user name in two ways: first as a password alone, then as password and device name,
 * parted at the last ':'. A device name without a ':' makes the second reading exactly what was typed, whatever colons
 * the password holds; without a name, `secret:x` would also be read as the password `secret` of a device `x`.
 */

/** Bounds of the camera: bytes of all, and characters of a device's name. */
const credentialsBytesMax = 1024;
const labelLengthMax = 64;

/** As the camera takes an e-mail address: with something on both sides of one '@', and no ':' (it ends a user name). */
const emailForm = /^[^@\s:]+@[^@\s:]+$/u;

/** Whether the camera takes it for one. */
export function isEmail(text: string): boolean {
  return text.length <= 254 && emailForm.test(text);
}

/** The value of the header field `authorization`. A device name that could be misread, or is too long, is left out. */
export function basicAuthorization(email: string, password: string, label = ''): string {
  const plain = utf8(`${email}:${password}`);
  const labelled = utf8(`${email}:${password}:${label}`);
  const isClear = /^[\x20-\x39\x3b-\x7e]+$/.test(label) && label.length <= labelLengthMax;
  const bytes = isClear && labelled.length <= credentialsBytesMax ? labelled : plain;
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

// The first that fits counts: most browsers name others besides themselves.
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/(?:Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/**
 * What this device is called in the camera's log, as in `Firefox on Linux`.
 */
export function deviceLabel({
  userAgent,
  maxTouchPoints = 0,
}: Partial<Pick<Navigator, 'maxTouchPoints'>> & Pick<Navigator, 'userAgent'>): string {
  const find = (list: typeof browsers): string | undefined =>
    list.find(([form]) => form.test(userAgent))?.[1];
  const browser = find(browsers) ?? 'Browser';
  const system = find(systems);
  // An iPad says that it is a Mac; no Mac has a touch screen.
  if (system === 'macOS' && maxTouchPoints > 1) return `${browser} on iPad`;
  return system === undefined ? browser : `${browser} on ${system}`;
}
