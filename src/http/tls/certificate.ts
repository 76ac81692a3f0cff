/**
 * A certificate and its key in PEM files: whether they can be read, fit together and are in their time.
 *
 * What is wrong is told with the file's name, at start, since the library would only say that something is. Asynchronous;
 * any thread.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { CameraError } from '../../base/errors.ts';
import { pemBytesMax } from '../limits.ts';
import type { TlsFiles } from '../uws.ts';

/** What is known of a pair that fits. */
export interface Certificate {
  /** SHA-256 of the whole certificate, as browsers show it: `AB:CD:…`. */
  readonly fingerprint: string;
  readonly validFromUnixMs: number;
  readonly validToUnixMs: number;
}

/** Kinds of keys for which there are suites that browsers take. */
const keyTypes = ['rsa', 'ec'];

/**
 * Reads and checks the pair; dates are left to the caller.
 *
 * @throws CameraError `config-invalid` with the file's name and what is wrong with it.
 */
export async function readCertificate(files: TlsFiles): Promise<Certificate> {
  const certificate = await parsed(files.certificate, 'the certificate', text => new X509Certificate(text));
  const key = await parsed<KeyObject>(files.key, 'the key of the certificate', text =>
    createPrivateKey(text),
  );
  if (!keyTypes.includes(key.asymmetricKeyType ?? ''))
    throw invalid(files.key, 'the key of the certificate', 'only RSA and ECDSA keys are used');
  if (!certificate.checkPrivateKey(key))
    throw invalid(files.key, 'the key of the certificate', `it does not belong to ${files.certificate}`);
  return {
    fingerprint: certificate.fingerprint256,
    validFromUnixMs: Date.parse(certificate.validFrom),
    validToUnixMs: Date.parse(certificate.validTo),
  };
}

async function parsed<T>(file: string, what: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readBounded(file));
  } catch (cause) {
    throw invalid(file, what, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function invalid(file: string, what: string, reason: string, cause?: unknown): CameraError {
  return new CameraError('config-invalid', `${what}, ${file}, cannot be used: ${reason}`, {}, { cause });
}

/** Reads with a bound instead of asking for the size first: the path may name an endless device. */
async function readBounded(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(pemBytesMax + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = (await handle.read(bytes, length, bytes.length - length, null)).bytesRead;
    if (length > pemBytesMax) throw new Error(`it is larger than ${pemBytesMax} bytes`);
    return bytes.toString('latin1', 0, length);
  } finally {
    await handle.close();
  }
}
