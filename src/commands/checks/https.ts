/**
 * The configured certificate: readable, fitting its key, and in its time. One that the camera makes itself needs no look.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Configuration } from '../../config/configuration.ts';
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
    const certificate = new X509Certificate(await readFile(https.certificate));
    const key = createPrivateKey(await readFile(https.key));
    if (!certificate.checkPrivateKey(key))
      return [problem(subject, 'the key does not belong to the certificate', 'configure the pair of them')];
    const daysLeft = Math.floor((Date.parse(certificate.validTo) - nowUnixMs) / dayMs);
    if (nowUnixMs < Date.parse(certificate.validFrom))
      return [problem(subject, `the certificate is valid from ${certificate.validFrom}`, 'check the clock')];
    if (daysLeft < 0)
      return [problem(subject, `the certificate ended on ${certificate.validTo}`, 'renew it')];
    return [
      daysLeft < renewalDays
        ? warning(subject, `the certificate ends in ${daysLeft} days`, 'renew it')
        : good(subject, `on, ${certificate.subject.replaceAll('\n', ', ')}, ${daysLeft} days left`),
    ];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      problem(
        subject,
        `certificate or key cannot be used: ${reason}`,
        'check the files and their permissions',
      ),
    ];
  }
}
