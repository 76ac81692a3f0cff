/**
 * Upgrades of the firmware: one at a time, from the first byte of an upload to the version that has proved itself.
 *
 *     idle → receiving → verifying → ready → restarting ┄ (start) ┄ trial → confirmed
 *               └─────────┴─► failed                                  └──► fell-back, seen by the version before
 *
 * What an image must be to be taken is decided here, in this order: signed by a trusted key; for this board; not for newer
 * cameras only; newer than what runs, and not older than what ever proved itself here. All that is decided before a byte
 * of the payload is kept. Where the payload goes, and how it is started, is the back end's. No clock decides anything:
 * one that lies can neither allow nor forbid a version. Main thread.
 */
import type { AuditLog, Caller } from '../auth/audit-log.ts';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { FirmwareConfiguration } from '../config/configuration.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { FirmwareBackEnd, Installation, SlotView } from './back-end.ts';
import type { Trial, UpgradeResult } from './boot-record.ts';
import { imageHeadBytes, manifestBytesMax } from './image-format.ts';
import { type ImageHead, ImageReader } from './image-reader.ts';
import { restartDelayMs, watchersMax } from './limits.ts';
import type { FirmwareManifest } from './manifest.ts';
import { readTrustedKeys } from './trusted-keys.ts';
import { compareVersions, isVersion } from './version.ts';

/** `off`: upgrades are not set up. */
export type UpgradeState =
  | 'off'
  | 'idle'
  | 'receiving'
  | 'verifying'
  | 'ready'
  | 'restarting'
  | 'trial'
  | 'confirmed'
  | 'fell-back'
  | 'failed';

/** What the API shows. */
export interface UpgradeStatus {
  readonly state: UpgradeState;
  readonly version: string;
  readonly board: string;
  readonly backEnd: FirmwareBackEnd['kind'];
  /** Of the image; present from `receiving` on. */
  readonly progress: { readonly receivedBytes: number; readonly totalBytes: number | null } | undefined;
  readonly activeSlot: string;
  readonly slots: readonly SlotView[];
  /** Null also where the version before cannot be told. */
  readonly rollBackTo: string | null;
  readonly canRollBack: boolean;
  readonly lastResult: UpgradeResult | null;
}

interface Options {
  readonly configuration: FirmwareConfiguration;
  readonly backEnd: FirmwareBackEnd;
  /** Files and folders of keys; none: upgrades are off. */
  readonly keyNames: readonly string[];
  readonly board: string;
  /** Of the running software. */
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: Pick<AuditLog, 'record'>;
  /** What the camera does now, and so has to do after the upgrade. */
  doing(): Trial['expected'];
  /** Ends the process so that the launcher starts what is next; for back ends that do not do it themselves. */
  restart(): void;
}

/** Between two tellings of progress. */
const progressIntervalUs = 250_000;

/** See the head of the file. */
export class FirmwareUpgrades {
  private readonly options: Options;
  private readonly watchers = new Set<() => void>();
  private current: UpgradeState;
  private progress: UpgradeStatus['progress'];
  private upload: FirmwareUpload | undefined;
  private toldMonoUs = 0;
  private isRestarting = false;

  constructor(options: Options) {
    this.options = options;
    const { trial, lastResult } = options.backEnd.view();
    this.current = trial ? 'trial' : lastResult?.outcome === 'fell-back' ? 'fell-back' : 'idle';
  }

  status(): UpgradeStatus {
    const { options, progress } = this;
    const view = options.backEnd.view();
    return {
      state: this.isSetUp ? this.current : 'off',
      version: options.version,
      board: options.board,
      backEnd: options.backEnd.kind,
      progress,
      activeSlot: view.activeSlot,
      slots: view.slots,
      rollBackTo: view.rollBackTo?.version ?? null,
      canRollBack: view.rollBackTo !== undefined,
      lastResult: view.lastResult,
    };
  }

  /** The longest image that is looked at. */
  get imageBytesMax(): number {
    return this.options.configuration.maxImageMb * 1e6 + imageHeadBytes + manifestBytesMax;
  }

  /** How many uploads an address has in an hour. */
  get uploadsPerHour(): number {
    return this.options.configuration.uploadsPerHour;
  }

  /** What has to be proved; undefined when nothing has. */
  get trial(): Trial['expected'] | undefined {
    return this.options.backEnd.view().trial?.expected;
  }

  /**
   * Calls a listener after every change, at most four times a second while bytes come in. Returns what ends it; undefined
   * when too many watch.
   */
  watch(listener: () => void): (() => void) | undefined {
    if (this.watchers.size >= watchersMax) return undefined;
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  }

  /**
   * Throws where an upload cannot begin: CameraError `firmware-not-set-up`, or `firmware-busy` while another is under way
   * or a version is on trial.
   */
  checkReady(caller: Caller): void {
    const refusal = this.refusal();
    if (!refusal) return;
    this.options.audit.record('upgrade-refused', caller, { reason: refusal.code });
    throw refusal;
  }

  /** Begins an upload; throws what {@link checkReady} throws, and CameraError `firmware-key-invalid`. */
  begin(caller: Caller): FirmwareUpload {
    const { options } = this;
    this.checkReady(caller);
    const trustedKeys = readTrustedKeys(options.keyNames);
    if (trustedKeys.length === 0) throw notSetUp();
    this.progress = { receivedBytes: 0, totalBytes: null };
    this.upload = new FirmwareUpload({
      trustedKeys,
      accept: head => this.accept(head, caller),
      install: manifest => options.backEnd.begin(manifest, options.doing()),
      onProgress: (receivedBytes, totalBytes) => this.onProgress({ receivedBytes, totalBytes }),
      onVerifying: () => this.become('verifying'),
      onReady: manifest => this.onReady(manifest, caller),
      onFailed: (error, manifest) => this.onFailed(error, manifest, caller),
    });
    this.become('receiving');
    return this.upload;
  }

  /** Goes back to the version before. Rejects with `firmware-no-previous`, `firmware-busy`, `firmware-storage-failed`. */
  async rollBack(caller: Caller): Promise<void> {
    const { options } = this;
    this.checkReady(caller);
    const version = await options.backEnd.rollBack(options.doing());
    options.audit.record('upgrade-rolled-back', caller, { version: version ?? 'unknown' });
    options.logger.warn('going back to the firmware before', { version });
    this.become('ready');
    this.scheduleRestart();
  }

  /** The running version does all that it should. */
  async proved(): Promise<void> {
    const { backEnd, version, logger } = this.options;
    const wasOnTrial = this.trial !== undefined;
    await backEnd.confirm(version);
    if (!wasOnTrial) return;
    logger.info('the new firmware has proved itself', { version });
    this.become('confirmed');
  }

  /** The running version could not prove itself in time; it makes way for the one before. */
  async notProved(reason: string): Promise<void> {
    this.options.logger.error('the new firmware does not do what it should', { reason });
    await this.options.backEnd.reject(reason);
    this.become('restarting');
    this.restart();
  }

  private get isSetUp(): boolean {
    return this.options.keyNames.length > 0;
  }

  private refusal(): CameraError | undefined {
    if (!this.isSetUp) return notSetUp();
    const { current } = this;
    const isBusy =
      this.upload !== undefined || current === 'ready' || current === 'restarting' || current === 'trial';
    return isBusy ? new CameraError('firmware-busy', `an upgrade is under way: ${current}`) : undefined;
  }

  /** See the head of the file. Throws what is wrong with the image. */
  private accept({ manifest, keyId }: ImageHead, caller: Caller): void {
    const { options } = this;
    const { version, boards, minimumVersion, payloadBytes } = manifest;
    const { allowDowngrade, maxImageMb } = options.configuration;
    if (!boards.includes(options.board))
      throw new CameraError('firmware-board-mismatch', 'the image is for other boards', {
        board: options.board,
      });
    if (payloadBytes > maxImageMb * 1e6)
      throw new CameraError('firmware-too-large', 'the payload is larger than is allowed', { payloadBytes });
    if (isVersion(options.version)) {
      if (compareVersions(options.version, minimumVersion) < 0)
        throw new CameraError('firmware-step-missing', 'the image needs a newer version first', {
          minimumVersion,
        });
      this.checkOrder(version, allowDowngrade);
    }
    options.audit.record('upgrade-started', caller, { version, keyId });
    options.logger.info('a firmware image is being installed', { version, keyId });
  }

  private checkOrder(version: string, allowDowngrade: boolean): void {
    if (allowDowngrade) return;
    const running = this.options.version;
    const order = compareVersions(version, running);
    if (order === 0)
      throw new CameraError('firmware-installed', 'the version of the image runs already', { running });
    const { highestVersion } = this.options.backEnd.view();
    const floor = highestVersion !== null && isVersion(highestVersion) ? highestVersion : running;
    if (order < 0 || compareVersions(version, floor) < 0)
      throw new CameraError('firmware-downgrade', 'the image is older than what ran here', {
        running,
        floor,
      });
  }

  private onProgress(progress: NonNullable<UpgradeStatus['progress']>): void {
    this.progress = progress;
    const nowUs = this.options.clock.monoUs();
    if (nowUs - this.toldMonoUs < progressIntervalUs) return;
    this.toldMonoUs = nowUs;
    this.tell();
  }

  private onReady({ version }: FirmwareManifest, caller: Caller): void {
    this.upload = undefined;
    this.options.audit.record('upgrade-installed', caller, { version });
    this.options.logger.info('the firmware is installed; the camera starts it now', { version });
    this.become('ready');
    this.scheduleRestart();
  }

  private async onFailed(
    error: unknown,
    manifest: FirmwareManifest | undefined,
    caller: Caller,
  ): Promise<void> {
    const { audit, logger, backEnd } = this.options;
    const version = manifest?.version ?? 'unknown';
    const reason = codeOf(error);
    audit.record('upgrade-refused', caller, { reason, version });
    logger.warn('the firmware image was not installed', errorFields(error));
    // Of an image that was refused at once nothing is noted: the record would wear for whoever sends nonsense.
    if (manifest) await backEnd.failed(version, reason).catch(() => undefined);
    this.upload = undefined;
    this.become('failed');
  }

  private scheduleRestart(): void {
    setTimeout(() => {
      this.become('restarting');
      this.restart();
    }, restartDelayMs);
  }

  private restart(): void {
    if (this.isRestarting) return;
    this.isRestarting = true;
    const { backEnd, restart, logger } = this.options;
    if (!backEnd.restart) {
      restart();
      return;
    }
    backEnd.restart().catch(error => {
      this.isRestarting = false;
      this.become('ready');
      logger.error('the device was not restarted; restart it by hand', errorFields(error));
    });
  }

  private become(state: UpgradeState): void {
    this.current = state;
    this.tell();
  }

  private tell(): void {
    for (const listener of this.watchers) listener();
  }
}

interface UploadOptions {
  readonly trustedKeys: ReturnType<typeof readTrustedKeys>;
  accept(head: ImageHead): void;
  install(manifest: FirmwareManifest): Promise<Installation>;
  onProgress(receivedBytes: number, totalBytes: number | null): void;
  onVerifying(): void;
  onReady(manifest: FirmwareManifest): void;
  onFailed(error: unknown, manifest: FirmwareManifest | undefined): Promise<void>;
}

/** The bytes of one image on their way. After an error it is over, and what it had written is gone. */
export class FirmwareUpload {
  private readonly options: UploadOptions;
  private readonly reader: ImageReader;
  private readonly payload: Uint8Array[] = [];
  private head: ImageHead | undefined;
  private installation: Installation | undefined;
  private receivedBytes = 0;
  private isOver = false;
  /** What is being done now; an end waits for it. */
  private working: Promise<void> | undefined;
  private ending: Promise<void> | undefined;

  constructor(options: UploadOptions) {
    this.options = options;
    this.reader = new ImageReader({
      trustedKeys: options.trustedKeys,
      onHead: head => {
        options.accept(head);
        this.head = head;
      },
      onPayload: bytes => this.payload.push(bytes),
    });
  }

  /** Takes the next bytes of the image; borrowed until the promise is settled. One call at a time. */
  async push(bytes: Uint8Array): Promise<void> {
    await this.guarded(async () => {
      this.reader.push(bytes);
      if (this.head) this.installation ??= await this.options.install(this.head.manifest);
      for (const piece of this.payload.splice(0)) await this.installation!.write(piece);
      this.receivedBytes += bytes.length;
      this.options.onProgress(this.receivedBytes, this.reader.lengthBytes ?? null);
    });
  }

  /** There is no more. Resolves to what was installed; it is what starts next. */
  async finish(): Promise<FirmwareManifest> {
    await this.guarded(async () => {
      this.reader.finish();
      this.options.onVerifying();
      await this.installation!.complete();
    });
    this.isOver = true;
    const { manifest } = this.head!;
    this.options.onReady(manifest);
    return manifest;
  }

  /** Nothing more comes, for a reason that may lie outside the image. Does nothing when it is over; never rejects. */
  async abandon(reason: unknown): Promise<void> {
    if (!this.isOver) {
      this.isOver = true;
      this.ending = this.end(reason);
    }
    // Whoever comes second waits for the same end: the next upload is refused until then.
    await this.ending;
  }

  private async end(reason: unknown): Promise<void> {
    await this.working?.catch(() => undefined);
    await this.installation?.abandon();
    await this.options.onFailed(reason, this.installation && this.head?.manifest);
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.isOver) throw new CameraError('internal', 'the upload is over');
    try {
      this.working = work();
      await this.working;
    } catch (error) {
      await this.abandon(error);
      throw error;
    }
  }
}

/** The code of an error, of whatever class. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'internal';
}

function notSetUp(): CameraError {
  return new CameraError('firmware-not-set-up', 'no key for firmware is configured');
}
