/**
 * Where the server's certificate comes from: the files of the configuration, or a pair of its own in the state folder.
 *
 * The own pair (`https-key.pem`, 0600, and `https-certificate.pem`) is made at the first start and kept, since an owner may
 * have told a browser to trust it; it is made anew when it is damaged, does not fit together or its time is over. A pair of
 * the configuration is only ever read; when its files change (a renewal), the new ones are taken. Main thread.
 */
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { CameraError } from '../../base/errors.ts';
import type { HttpsConfiguration } from '../../config/configuration.ts';
import type { Logger } from '../../telemetry/log.ts';
import { plausibleUnixMs } from '../limits.ts';
import type { TlsFiles } from '../uws.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** What a source is made from. */
export interface CertificateSourceOptions {
  readonly https: HttpsConfiguration;
  readonly stateFolder: string;
  /** Names and addresses for a certificate of the camera's own. */
  names(): readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The certificate in use. */
export class CertificateSource {
  readonly files: TlsFiles;
  /** Whether the camera makes the pair itself. */
  readonly isOwn: boolean;
  private readonly options: CertificateSourceOptions;
  private current: Certificate | undefined;
  /** What the files looked like when they were read. */
  private seen = '';
  /** The last complaint, which is not repeated. */
  private complaint = '';

  private constructor(options: CertificateSourceOptions) {
    const { https, stateFolder } = options;
    this.options = options;
    this.isOwn = https.certificate === '';
    this.files = this.isOwn
      ? {
          certificate: path.join(stateFolder, 'https-certificate.pem'),
          key: path.join(stateFolder, 'https-key.pem'),
        }
      : { certificate: https.certificate, key: https.key };
  }

  /**
   * Reads or makes the pair.
   *
   * @throws CameraError `config-invalid` when files of the configuration cannot be used; `state-failed` when the state
   * folder cannot be written.
   */
  static async open(options: CertificateSourceOptions): Promise<CertificateSource> {
    const source = new CertificateSource(options);
    await source.load();
    return source;
  }

  /** As browsers show it, so that an owner can compare. */
  get fingerprint(): string {
    return this.current?.fingerprint ?? '';
  }

  /**
   * Looks whether there is another pair to use: the files changed, or the own certificate's time is over. True: new
   * connections should get it now. Never rejects; files that cannot be used are told once and the old pair stays.
   */
  async refresh(): Promise<boolean> {
    const before = this.current?.fingerprint;
    try {
      if (!this.isOwn && (await this.look()) === this.seen) return false;
      await this.load();
      return this.current?.fingerprint !== before;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.complaint) this.options.logger.warn('the old certificate stays', { reason });
      this.complaint = reason;
      return false;
    }
  }

  private async load(): Promise<void> {
    const seen = await this.look();
    const certificate = this.isOwn ? await this.ownCertificate() : await readCertificate(this.files);
    this.seen = seen;
    this.complaint = '';
    if (certificate.fingerprint === this.current?.fingerprint) return;
    this.current = certificate;
    this.tell(certificate);
  }

  private tell({ fingerprint, validFromUnixMs, validToUnixMs }: Certificate): void {
    const { logger, clock } = this.options;
    const nowUnixMs = clock.wallUnixMs();
    const validTo = new Date(validToUnixMs).toISOString();
    logger.info(`certificate SHA-256 ${fingerprint}`, { file: this.files.certificate, validTo });
    if (nowUnixMs > validToUnixMs) logger.warn('the time of the certificate is over', { validTo });
    if (nowUnixMs < validFromUnixMs)
      logger.warn('the time of the certificate has not begun; is the clock right?', {
        validFrom: new Date(validFromUnixMs).toISOString(),
      });
  }

  private async ownCertificate(): Promise<Certificate> {
    const { logger, names, clock } = this.options;
    try {
      const known = await readCertificate(this.files);
      if (this.isInTime(known)) {
        // Whoever copied the folder may have widened it.
        await chmod(this.files.key, 0o600);
        return known;
      }
      logger.warn('the time of the own certificate is over; a new one is made');
    } catch (error) {
      if (!isMissing(error)) logger.warn('the own certificate is damaged; a new one is made');
    }
    try {
      const { makeSelfSigned } = await import('./self-signed.ts');
      const texts = await makeSelfSigned({ names: names(), nowUnixMs: clock.wallUnixMs() });
      // A crash between the two leaves a pair that does not fit, and the next start makes another.
      await writeWhole(this.files.key, texts.key);
      await writeWhole(this.files.certificate, texts.certificate);
      return await readCertificate(this.files);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CameraError('state-failed', `no certificate can be kept: ${reason}`, {}, { cause });
    }
  }

  /** A clock that was never set (before this software was written) says nothing about a certificate. */
  private isInTime({ validFromUnixMs, validToUnixMs }: Certificate): boolean {
    const nowUnixMs = this.options.clock.wallUnixMs();
    return nowUnixMs < plausibleUnixMs || (nowUnixMs >= validFromUnixMs && nowUnixMs <= validToUnixMs);
  }

  /** The state of both files; '' while one cannot be looked at. */
  private async look(): Promise<string> {
    try {
      const states = await Promise.all([stat(this.files.certificate), stat(this.files.key)]);
      return states.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join();
    } catch {
      return '';
    }
  }
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof CameraError ? error.cause : error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/** Whole or not at all, 0600, on the card when it resolves. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  // Made anew and exclusively: what a crash (or anybody else) left under this name is neither kept nor followed.
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
