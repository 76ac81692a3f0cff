/**
 * The configured certificate: what the camera itself would refuse at its start, and whether it is in its time. One that the
 * camera makes itself needs no look.
 */
import { CameraError } from '../../base/errors.ts';
import type { Configuration } from '../../config/configuration.ts';
import { readCertificate } from '../../http/tls/certificate.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

/** So many days before its end a certificate should have been renewed. */
const renewalDays = 14;

const dayMs = 86_400_000;

export async function checkCertificate(
  { https }: Configuration,
  nowUnixMs = Date.now(),
): Promise<readonly Finding[]> {
  const subject = 'https';
  if (!https.enabled)
    return [good(subject, 'off: passwords and pictures can be read on the way; --https-enabled turns it on')];
  if (https.certificate === '') return [good(subject, 'on, with a certificate of the camera itself')];
  try {
    const { validFromUnixMs, validToUnixMs, fingerprint } = await readCertificate(https);
    if (nowUnixMs < validFromUnixMs)
      return [
        problem(subject, `the certificate is valid from ${dateOf(validFromUnixMs)}`, 'check the clock'),
      ];
    if (nowUnixMs > validToUnixMs)
      return [problem(subject, `the certificate ended on ${dateOf(validToUnixMs)}`, 'renew it')];
    const daysLeft = Math.floor((validToUnixMs - nowUnixMs) / dayMs);
    return [
      daysLeft < renewalDays
        ? warning(subject, `the certificate ends in ${daysLeft} days`, 'renew it')
        : good(subject, `on, ${daysLeft} days left, SHA-256 ${fingerprint}`),
    ];
  } catch (error) {
    if (!(error instanceof CameraError)) throw error;
    return [problem(subject, error.message, 'check the files and their permissions')];
  }
}

function dateOf(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 10);
}
