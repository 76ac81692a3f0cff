/**
 * The checks that authenticate the other side of a DTLS 1.2 handshake: fingerprint (RFC 8122 §5, RFC 5763 §5),
 * ServerKeyExchange (RFC 8422 §5.4), CertificateVerify (RFC 5246 §7.4.8), Finished (§7.4.9).
 *
 * All are made from raw messages, independently of the state machine that took part in the handshake. Each throws an
 * Error that says what failed. Live thread.
 */
import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';

const verifyDataBytes = 12;
const namedCurve = 3;
const sha256Hash = 4;
/** SignatureAlgorithm of RFC 5246 §7.4.1.4.1 → key type of node:crypto. */
const signatureKeyTypes: Readonly<Record<number, string>> = { 1: 'rsa', 3: 'ec' };

/** The certificate of a Certificate message's first entry, if it is one of those the offer announced. */
export function verifiedCertificate(der: Uint8Array, fingerprints: readonly string[]): X509Certificate {
  const digest = createHash('sha256').update(der).digest('hex').toUpperCase();
  if (!fingerprints.some(fingerprint => fingerprint.replaceAll(':', '').toUpperCase() === digest))
    throw new Error('the certificate is not the one that the offer announced');
  return new X509Certificate(der);
}

/** Checks that the server's ephemeral key was signed with the certificate's key, for these two randoms. */
export function verifyServerKeyExchange(
  certificate: X509Certificate,
  message: Buffer,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): void {
  const parametersBytes = message.length > 4 ? 4 + message[3]! : 0;
  if (message[0] !== namedCurve || message.length < parametersBytes + 4)
    throw new Error('the ServerKeyExchange message is malformed');
  const signed = Buffer.concat([clientRandom, serverRandom, message.subarray(0, parametersBytes)]);
  verifySignature(certificate, message.subarray(parametersBytes), signed, 'ServerKeyExchange');
}

/** Checks that the client holds the certificate's key; `transcript` is all messages before CertificateVerify. */
export function verifyCertificateVerify(
  certificate: X509Certificate,
  message: Buffer,
  transcript: Buffer,
): void {
  verifySignature(certificate, message, transcript, 'CertificateVerify');
}

/** Checks that both sides saw the same handshake; `transcript` is all messages before this Finished. */
export function verifyFinished(
  message: Buffer,
  masterSecret: Buffer,
  sender: 'client' | 'server',
  transcript: Buffer,
): void {
  const seed = Buffer.concat([
    Buffer.from(`${sender} finished`),
    createHash('sha256').update(transcript).digest(),
  ]);
  const hmac = (data: Buffer): Buffer => createHmac('sha256', masterSecret).update(data).digest();
  // P_SHA256 of RFC 5246 §5; its first block of 32 bytes is enough for 12.
  const expected = hmac(Buffer.concat([hmac(seed), seed])).subarray(0, verifyDataBytes);
  if (message.length !== verifyDataBytes || !timingSafeEqual(message, expected))
    throw new Error('the Finished message does not fit the handshake');
}

/** `algorithm` (hash, signature), length and signature, as both messages end. */
function verifySignature(certificate: X509Certificate, field: Buffer, data: Buffer, name: string): void {
  const key = certificate.publicKey;
  const length = field.length >= 4 ? field.readUInt16BE(2) : -1;
  if (field[0] !== sha256Hash || signatureKeyTypes[field[1]!] !== key.asymmetricKeyType)
    throw new Error(`the signature of ${name} has an algorithm that was not offered`);
  if (field.length !== 4 + length || !verify('sha256', data, key, field.subarray(4)))
    throw new Error(`the signature of ${name} is wrong`);
}
