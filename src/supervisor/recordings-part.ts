/**
 * The recordings as a part of the camera: the index, the recorder worker that fills it, and the deletion of what is too
 * old. Everything that is said of recordings anywhere comes through here. Main thread; nothing blocks it.
 *
 * The worker writes files and reports each fragment once it lies on the card; this part puts it into the index, whose
 * newest part is in memory. So a worker may die at any time: the next one is told what is known, looks at the card, and
 * reports what differs. Deleting goes index first, file second: what the index names is there. A file that is being read
 * is not deleted. A card whose folder is not the expected one is left alone.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { rmdir, statfs, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { Configuration, RecorderConfiguration } from '../config/configuration.ts';
import { type CameraState, writeWhole } from '../config/state-folder.ts';
import type { RecorderHealth } from '../ipc/health.ts';
import type {
  CardState,
  RecorderCommand,
  RecorderReplies,
  RecorderReport,
  RecorderRequest,
  Stats,
  WorkerReport,
} from '../ipc/messages.ts';
import { RequestChannel } from '../ipc/request-channel.ts';
import type { RecorderWorkerData } from '../ipc/worker-data.ts';
import type { FragmentRecord, SegmentRecord, SegmentSamples } from '../isobmff/recorded-segment.ts';
import { RecordingIndex } from '../store/recordings/recording-index.ts';
import { type RetentionRules, segmentsToDelete } from '../store/recordings/retention.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { resourceLimits } from './resource-limits.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import type { Part } from './supervisor.ts';
import type { TaskPool } from './task-pool.ts';
import { workerEntry } from './worker-entry.ts';

/** How often it is looked whether something is to be deleted. */
const retentionLookMs = 10_000;
/** Most segments deleted in one go; an hour of them, so that a large deletion does not hold the card for long. */
const deletedAtOnceMax = 12;
/** Segments that recovery found after which the index is committed; recorder/limits.ts paces them. */
const foundPerCommit = 10;
/** Where it is remembered that the recordings lie on a card. */
const cardFileName = 'card.json';
/** Of the state folder: so much of it may recordings take unless the owner says otherwise. */
const ownFolderGb = 4;

interface Options {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ring: SharedArrayBuffer;
  readonly state: CameraState;
  readonly tasks: TaskPool;
}

/** See the head of the file. */
export class RecordingsPart implements Part {
  readonly name = 'recordings';
  readonly index: RecordingIndex;
  /** Absolute path. */
  readonly folder: string;
  /** The recorder; undefined when the camera does not record. A part of its own: it starts after capture. */
  readonly recorder: SupervisedWorker<RecorderCommand, RecorderReport> | undefined;
  private readonly configuration: Configuration;
  private readonly options: Options;
  private readonly requests: RequestChannel<RecorderRequest, RecorderReplies>;
  private readonly pressure = new SharedArrayBuffer(4);
  private readonly held = new Map<string, number>();
  private readonly faultLog: LogThrottle;
  private timer: NodeJS.Timeout | undefined;
  private deleting: Promise<void> | undefined;
  private card: { state: CardState; sinceUnixMs: number };
  private isStopping = false;
  private readonly openedMonoUs: number;
  private foundSegments = 0;

  private constructor(configuration: Configuration, index: RecordingIndex, options: Options) {
    this.configuration = configuration;
    this.index = index;
    this.options = options;
    this.folder = recordingsFolder(configuration);
    this.openedMonoUs = options.clock.monoUs();
    this.card = { state: 'waiting', sinceUnixMs: options.clock.wallUnixMs() };
    this.faultLog = new LogThrottle(options.logger, options.clock);
    this.requests = new RequestChannel('recorder');
    this.recorder = configuration.recorder.enabled ? this.makeRecorder() : undefined;
  }

  /** Opens the index. */
  static async open(configuration: Configuration, options: Options): Promise<RecordingsPart> {
    // Our own folder is made; one that the owner named (a card) is not: a missing card must be seen, not papered over.
    if (configuration.recordings === '')
      mkdirSync(recordingsFolder(configuration), { recursive: true, mode: 0o700 });
    let part: RecordingsPart | undefined;
    const index = await RecordingIndex.open({
      folder: indexFolder(configuration),
      logger: options.logger,
      scanEntry: workerEntry('scan-database'),
      onRebuild: () => part?.onRebuild(),
    });
    part = new RecordingsPart(configuration, index, options);
    return part;
  }

  /** The recorder as a part of its own, none when the camera does not record: it starts when the index knows all it has. */
  recorderPart(): readonly Part[] {
    const { recorder, index } = this;
    if (!recorder) return [];
    return [
      {
        name: recorder.name,
        async start() {
          await index.opened();
          await recorder.start();
        },
        stop: withinMs => recorder.stop(withinMs),
        health: () => recorder.health(),
      },
    ];
  }

  async start(): Promise<void> {
    this.timer = setInterval(() => this.makeRoom(), retentionLookMs);
    this.timer.unref();
  }

  async stop(): Promise<boolean> {
    this.isStopping = true;
    clearInterval(this.timer);
    await this.deleting;
    await this.index.close();
    return true;
  }

  /** For /healthz; undefined when the camera does not record. */
  recorderHealth(): RecorderHealth | undefined {
    if (!this.recorder) return undefined;
    return { ...this.card, index: this.index.state() };
  }

  /** For the metrics. */
  stats(): Stats {
    const index = this.index.stats();
    return {
      values: {
        segments: index.segments,
        fragments_waiting: index.fragmentsWaiting,
        segments_dropped_total: index.segmentsDropped,
        reports_refused_total: index.reportsRefused,
        commits_total: index.commits,
        commit_failures_total: index.commitFailures,
        last_commit_ms: index.lastCommitMs,
        file_bytes: index.fileBytes,
      },
    };
  }

  /** Milliseconds that the recorder is behind: others leave the card to it then. */
  cardPressureMs(): number {
    return Atomics.load(new Int32Array(this.pressure), 0);
  }

  /** Has what is pending written to the card; rejects with a CameraError when the recorder cannot. */
  async flush(): Promise<void> {
    await this.requests.request({ kind: 'flush' });
  }

  /** A file is being read: it is not deleted until it was released as often. */
  hold(segment: SegmentRecord): void {
    const key = keyOf(segment);
    this.held.set(key, (this.held.get(key) ?? 0) + 1);
  }

  release(segment: SegmentRecord): void {
    const key = keyOf(segment);
    const count = (this.held.get(key) ?? 1) - 1;
    if (count > 0) this.held.set(key, count);
    else this.held.delete(key);
  }

  /** Samples of a segment's fragments, of all when left out (a closed segment). Rejects with a CameraError. */
  loadSamples(segment: SegmentRecord, fragments?: readonly FragmentRecord[]): Promise<SegmentSamples> {
    const file = this.fileOf(segment);
    return this.options.tasks.run('read-samples', { file, segment, ...(fragments ? { fragments } : {}) });
  }

  /** Absolute path of a segment's file. */
  fileOf({ path: relative }: SegmentRecord): string {
    return path.join(this.folder, ...relative.split('/'));
  }

  /** What is deleted when, on a file system of this size. */
  retentionRules(totalBytes: number): RetentionRules {
    return rulesOf(this.configuration, totalBytes);
  }

  private makeRecorder(): SupervisedWorker<RecorderCommand, RecorderReport> {
    const { clock, logger, metrics, ring, state } = this.options;
    const { recorder: configuration, recordings, log } = this.configuration;
    const worker = new SupervisedWorker<RecorderCommand, RecorderReport>({
      name: 'recorder',
      clock,
      logger,
      metrics,
      entry: workerEntry('recorder'),
      workerData: (): RecorderWorkerData => ({
        ring,
        logLevel: log.level,
        recorder: configuration,
        folder: this.folder,
        makesFolder: recordings === '',
        deviceUuid: state.deviceUuid,
        expectedMount: this.rememberedMount(),
        known: this.index.known(),
        pressure: this.pressure,
      }),
      resourceLimits: resourceLimits.recorder,
      onUp: () => this.requests.open(command => worker.post(command)),
      onDown: () => this.requests.close(),
      onReport: report => this.onReport(report),
    });
    return worker;
  }

  private onReport(report: RecorderReport): void {
    const { index } = this;
    if (report.type === 'fragment')
      index.fragmentWritten(report.stream, report.segmentNumber, report.fragment);
    else if (report.type === 'segment-opened') index.segmentOpened(report.segment);
    else if (report.type === 'segment-closed') this.onClosed(report.segment);
    else if (report.type === 'segment-found') this.onFound(report);
    else if (report.type === 'segments-missing') void this.forget(report.segments);
    else if (report.type === 'card') this.onCard(report);
    else if (report.type === 'card-looked') this.onLooked(report);
    else this.requests.take(report as WorkerReport);
  }

  private onClosed(segment: SegmentRecord): void {
    this.index.segmentClosed(segment);
    if (segment.counts.fragments === 0) void this.discard(segment);
  }

  /** No picture came into a file before it ended. What fails here is found by the next start. */
  private async discard(segment: SegmentRecord): Promise<void> {
    try {
      await this.index.removeSegments([segment]);
      await this.remove(this.fileOf(segment));
    } catch (error) {
      this.faultLog.log('warn', 'discard', 'an empty recording cannot be deleted', errorFields(error));
    }
  }

  private async forget(
    segments: Extract<RecorderReport, { type: 'segments-missing' }>['segments'],
  ): Promise<void> {
    try {
      await this.index.removeSegments(segments);
      this.options.logger.warn('recordings are gone from the card', { segments: segments.length });
    } catch (error) {
      this.faultLog.log('warn', 'forget', 'the index cannot be changed', errorFields(error));
    }
  }

  private onFound({ segment, fragments }: Extract<RecorderReport, { type: 'segment-found' }>): void {
    this.index.segmentFound(segment, fragments);
    this.foundSegments += 1;
    // What is found is many times what is recorded meanwhile, and must not wait in memory for the next regular commit.
    if (this.foundSegments % foundPerCommit === 0)
      void this.index
        .flush()
        .catch(error =>
          this.faultLog.log('warn', 'index', 'the index cannot be written', errorFields(error)),
        );
  }

  /** An empty index took the place of a damaged one: the next life of the recorder reports all that is on the card. */
  private onRebuild(): void {
    this.recorder?.post({ type: 'start-over' });
  }

  private onLooked({ files, filesTotal, isDone }: Extract<RecorderReport, { type: 'card-looked' }>): void {
    const { logger } = this.options;
    if (isDone) {
      logger.info('the recordings on the card were looked at', { files });
      this.index.rebuilt();
    } else
      this.faultLog.log('info', 'looked', 'looking at the recordings on the card', { files, filesTotal });
  }

  private onCard({ state, detail, isMount }: Extract<RecorderReport, { type: 'card' }>): void {
    const { clock, logger } = this.options;
    if (state !== this.card.state) this.card = { state, sinceUnixMs: clock.wallUnixMs() };
    const level = state === 'recording' || state === 'waiting' ? 'info' : 'error';
    logger[level](`recorder: ${detail}`, { state });
    if (state === 'recording' && isMount !== undefined) this.rememberMount(isMount);
    if (state === 'card-full') this.makeRoom();
  }

  private rememberedMount(): boolean | undefined {
    try {
      const text = readFileSync(path.resolve(this.configuration.state, cardFileName), 'utf8');
      const { folder, isMount } = JSON.parse(text) as { folder?: unknown; isMount?: unknown };
      return folder === this.folder && typeof isMount === 'boolean' ? isMount : undefined;
    } catch {
      return undefined;
    }
  }

  private rememberMount(isMount: boolean): void {
    // What was a card once stays one, until the owner chooses another folder.
    if (this.rememberedMount() !== undefined) return;
    try {
      const text = `${JSON.stringify({ folder: this.folder, isMount })}\n`;
      writeWhole(path.resolve(this.configuration.state), cardFileName, text);
    } catch (error) {
      this.faultLog.log('warn', 'card', 'it cannot be remembered where the card is', errorFields(error));
    }
  }

  private makeRoom(): void {
    if (this.isStopping) return;
    this.deleting ??= this.deleteOldest()
      .catch(error =>
        this.faultLog.log('warn', 'retention', 'old recordings cannot be deleted', errorFields(error)),
      )
      .finally(() => {
        this.deleting = undefined;
      });
  }

  private async deleteOldest(): Promise<void> {
    const { state } = this.card;
    // Whatever lies there may not be our card.
    if (state !== 'recording' && state !== 'waiting' && state !== 'card-full') return;
    const { bsize, bavail, blocks } = await statfs(this.folder);
    const chosen = segmentsToDelete({
      segments: [...this.index.segments(0), ...this.index.segments(1)],
      freeBytes: bsize * bavail,
      nowUnixMs: this.options.clock.wallUnixMs(),
      uptimeMs: (this.options.clock.monoUs() - this.openedMonoUs) / 1000,
      rules: this.retentionRules(bsize * blocks),
      isHeld: segment => this.held.has(keyOf(segment)),
    }).slice(0, deletedAtOnceMax);
    if (chosen.length === 0) return;
    // An index that cannot be written must not fill the card: a start after that finds the files gone.
    await this.index.removeSegments(chosen, this.index.state() === 'failing');
    for (const segment of chosen) await this.remove(this.fileOf(segment));
    this.options.logger.info('old recordings were deleted', {
      segments: chosen.length,
      bytes: chosen.reduce((sum, { endOffset }) => sum + endOffset, 0),
    });
    this.recorder?.post({ type: 'room-made' });
  }

  private async remove(file: string): Promise<void> {
    try {
      await unlink(file);
      // The folder of a day, when it was the last of it.
      await rmdir(path.dirname(file)).catch(() => undefined);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new CameraError('card-failed', 'a file cannot be deleted', {}, { cause: error });
    }
  }
}

/** Where the index lies: absolute. In the state folder, whatever the card; ARCHITECTURE.md says why. */
export function indexFolder({ state }: Configuration): string {
  return path.resolve(state, 'recordings-index');
}

/** Where the recordings lie: absolute. */
export function recordingsFolder({ recordings, state }: Configuration): string {
  return recordings ? path.resolve(recordings) : path.resolve(state, 'recordings');
}

function rulesOf({ recorder, recordings }: Configuration, totalBytes: number): RetentionRules {
  const { keepFreeMb, keepFreePercent, maxAgeDays, maxGb }: RecorderConfiguration = recorder;
  const limitGb = maxGb > 0 ? maxGb : recordings === '' ? ownFolderGb : 0;
  return {
    keepFreeBytes: Math.max(keepFreeMb * 1e6, (totalBytes * keepFreePercent) / 100),
    maxAgeMs: maxAgeDays * 86_400_000,
    maxBytes: limitGb * 1e9,
  };
}

function keyOf({ stream, number }: SegmentRecord): string {
  return `${stream}/${number}`;
}
