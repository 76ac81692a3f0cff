/**
 * The certificate that the camera makes for itself: ECDSA P-256, signed by its own key, for its own names and addresses
 * (RFC 5280; the profile that browsers and Apple's rules take: subjectAltName, serverAuth, at most 825 days).
 *
 * It is no authority: whoever lets a browser trust it trusts this camera and nothing that its key could sign. A clock that
 * was never set gives no date, so the time of validity then begins with a day in this software's past. Loaded only where
 * such a certificate is made; asynchronous.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { certificateDays, certificateNamesMax, plausibleUnixMs } from '../limits.ts';

const dayMs = 86_400_000;
/** Clocks of the camera and of a browser may differ by so much. */
const backdatedMs = dayMs;
const serialBytes = 16;
const commonNameCharactersMax = 64;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate and its key as PEM texts. */
export interface CertificateTexts {
  readonly certificate: string;
  /** PKCS #8; a secret. */
  readonly key: string;
}

/**
 * Makes a new key and its certificate.
 *
 * @param options the first of the names becomes the subject; names and addresses that are none, or too many, are left out.
 */
export async function makeSelfSigned(options: {
  readonly names: readonly string[];
  readonly nowUnixMs: number;
}): Promise<CertificateTexts> {
  const crypto = webcrypto as unknown as NonNullable<
    Parameters<typeof X509CertificateGenerator.createSelfSigned>[1]
  >;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = [...new Set(options.names)].filter(isName).slice(0, certificateNamesMax);
  const begin = Math.max(options.nowUnixMs, plausibleUnixMs) - backdatedMs;
  const serial = randomBytes(serialBytes);
  // Positive and without a leading zero octet, as DER wants integers.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(
      names.map(value => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
    ),
    await SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
    await AuthorityKeyIdentifierExtension.create(keys.publicKey, false, crypto),
  ];
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial.toString('hex'),
      name: [{ CN: [(names[0] ?? 'camera').slice(0, commonNameCharactersMax)] }, { O: ['opencamerad'] }],
      notBefore: new Date(begin),
      notAfter: new Date(begin + certificateDays * dayMs),
      keys,
      signingAlgorithm: algorithm,
      extensions,
    },
    crypto,
  );
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}

/** A DNS name (RFC 1123 §2.1) or an address without a zone. */
function isName(text: string): boolean {
  return isIP(text) !== 0 ? !text.includes('%') : /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text);
}
