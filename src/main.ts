/**
 * The composition root: makes the parts of the camera from its configuration and connects them; nothing else does.
 *
 * ring → capture worker → live worker → HTTP front end → recorder worker → firmware upgrades, in this order. Capture's tracks are kept here and told to every
 * new life of the live worker; requests of the HTTP front end reach the live worker through one channel, which fails
 * fast while that worker is away. What a part does lies in the part; which parts there are lies here. Main thread.
 */
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Accounts, AccountsState } from './auth/accounts.ts';
import type { Clock } from './base/clock.ts';
import type { TrackInfo } from './base/tracks.ts';
import type { Configuration } from './config/configuration.ts';
import { openStateFolder } from './config/state-folder.ts';
import type { BootSource, Trial } from './firmware/boot-record.ts';
import { openUpgrades } from './firmware/open-upgrades.ts';
import type { HealthReport, RecorderHealth, WorkerHealth } from './ipc/health.ts';
import type {
  CaptureCommand,
  CaptureReport,
  CardState,
  LiveCommand,
  LiveReplies,
  LiveReport,
  LiveRequest,
  Stats,
  WorkerReport,
} from './ipc/messages.ts';
import { RequestChannel } from './ipc/request-channel.ts';
import type { CaptureWorkerData, LiveWorkerData } from './ipc/worker-data.ts';
import { createFrameRing } from './ring/frame-ring.ts';
import { addressUrl, isWildcard } from './supervisor/address-url.ts';
import { FirmwarePart } from './supervisor/firmware-part.ts';
import { HttpPart } from './supervisor/http-part.ts';
import { packageVersion } from './supervisor/package-version.ts';
import { RecordingsPart } from './supervisor/recordings-part.ts';
import { resourceLimits } from './supervisor/resource-limits.ts';
import { SupervisedWorker } from './supervisor/supervised-worker.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { TaskPool } from './supervisor/task-pool.ts';
import { UsersPart } from './supervisor/users-part.ts';
import { packageFolder, workerEntry } from './supervisor/worker-entry.ts';
import { EventLoopDelay } from './telemetry/event-loop-delay.ts';
import type { Logger } from './telemetry/log.ts';
import { LogTail } from './telemetry/log-tail.ts';
import { Metrics } from './telemetry/metrics.ts';
import { systemClock } from './telemetry/system-clock.ts';

/** How capture's statistics name the state of a source: `main_source_up` is 1 while it gives pictures. */
const sourceUpSuffix = '_source_up';

/** States of the recorder in which nothing is wrong with it. */
const wellStates: ReadonlySet<CardState> = new Set(['recording', 'waiting']);

/** Tables of samples that may wait to be read: each is a piece of a download that goes on, and those are bounded. */
const cardTasksWaitingMax = 128;

/** A running camera. */
export interface Camera {
  /** Where a browser on this machine finds it, with a slash at the end. */
  readonly url: string;
  /** Stops everything within 2 s; resolves to the names of parts that would not end. */
  stop(): Promise<readonly string[]>;
}

/** What the launcher tells of what it started (commands/launch.ts). */
export interface Launched {
  readonly slot: BootSource;
  readonly factoryVersion: string | null;
}

interface StartOptions {
  readonly signal?: AbortSignal;
  /** Undefined where there is no launcher. */
  readonly launched?: Launched | undefined;
  /** Ends the process in order, so that the launcher starts what is next. */
  restart?(): void;
}

/**
 * Starts the camera and resolves when everything serves. Rejects with a CameraError when a part cannot be started;
 * what had started is stopped again by then. An abort of `signal` ends a start under way in the same manner.
 *
 * @param quietLogger what must not be kept in memory goes to it alone: the setup token.
 */
export async function startCamera(
  configuration: Configuration,
  quietLogger: Logger,
  options: StartOptions = {},
): Promise<Camera> {
  const clock = systemClock;
  const startedMonoUs = clock.monoUs();
  const logTail = new LogTail(clock, configuration.log.level);
  const logger = logTail.following(quietLogger);
  const state = openStateFolder(configuration.state);
  for (const file of state.renewed) logger.warn('a damaged file of the state folder was made anew', { file });

  const metrics = new Metrics();
  const tasks = new TaskPool({ logger });
  // Apart from the other, for a card that hangs takes its thread with it, and nobody could log in.
  const cardTasks = new TaskPool({
    name: 'card-tasks',
    logger,
    threads: 1,
    waitingMax: cardTasksWaitingMax,
    busyCode: 'clip-too-busy',
  });
  const users = await UsersPart.open(configuration, tasks, { clock, logger });
  const ring = createFrameRing(configuration.ring);
  const recordings = await RecordingsPart.open(configuration, {
    clock,
    logger,
    metrics,
    ring,
    state,
    tasks: cardTasks,
  });
  const workers = makeWorkers(configuration, ring, { clock, logger, metrics });
  const { capture, live, requests } = workers;
  const eventLoopDelay = new EventLoopDelay();
  const health = (): HealthReport =>
    healthOf(supervisor.health(), metrics.get('capture'), users.accounts.state, recordings.recorderHealth());
  const upgrades = await openUpgrades(configuration, {
    slot: options.launched?.slot,
    factoryVersion: options.launched?.factoryVersion ?? null,
    version: packageVersion(),
    packageFolder: packageFolder(),
    clock,
    logger,
    audit: users.audit,
    doing: () => doingOf(health()),
    restart: () => options.restart?.(),
  });
  const http = new HttpPart(configuration, () => ({
    accounts: users.accounts,
    audit: users.audit,
    deviceUuid: state.deviceUuid,
    stateFolder: path.resolve(configuration.state),
    clock,
    startedMonoUs,
    firmwareVersion: packageVersion(),
    tracks: workers.tracks,
    health,
    metrics: () => {
      metrics.update('tasks', tasks.stats());
      metrics.update('card_tasks', cardTasks.stats());
      metrics.update('index', recordings.stats());
      const upUs = clock.monoUs() - startedMonoUs;
      metrics.update('main', { values: mainValues(supervisor, upUs, eventLoopDelay) });
      return metrics.text();
    },
    recordings,
    upgrades,
    liveRequest: request => requests.request(request),
    onLiveSessionEnded: workers.onLiveSessionEnded,
    logger,
    logTail,
    live: configuration.live,
    http: configuration.http,
    https: configuration.https,
  }));
  const supervisor: Supervisor = new Supervisor(
    [
      users,
      tasks,
      cardTasks,
      recordings,
      capture,
      live,
      http,
      // Late, since it may have to wait for the index; the ring keeps what comes meanwhile.
      ...recordings.recorderPart(),
      // Looks at all the others.
      new FirmwarePart(upgrades, { configuration, logger, health, port: () => http.port }),
    ],
    { logger, clock },
  );

  try {
    // An abort does not wait for the part that is starting: stopping ends that too.
    await Promise.race([supervisor.start(), abortOf(options.signal)]);
    options.signal?.throwIfAborted();
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  const scheme = configuration.https.enabled ? 'https' : 'http';
  const url = addressUrl(configuration.host, http.port, scheme);
  announce(quietLogger, configuration.host, http.port, scheme, users.accounts);
  void users.measureHash();
  return { url, stop: () => supervisor.stop() };
}

/** Rejects when the signal is aborted. */
function abortOf(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

type LiveChannel = RequestChannel<LiveRequest, LiveReplies>;

interface Workers {
  readonly capture: SupervisedWorker<CaptureCommand, CaptureReport>;
  readonly live: SupervisedWorker<LiveCommand, LiveReport>;
  readonly requests: LiveChannel;
  tracks(): readonly TrackInfo[];
  onLiveSessionEnded(listener: (liveSessionId: string) => void): void;
}

function makeWorkers(
  configuration: Configuration,
  ring: SharedArrayBuffer,
  common: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): Workers {
  const { logger } = common;
  const logLevel = configuration.log.level;
  let tracks: readonly TrackInfo[] = [];
  const requests: LiveChannel = new RequestChannel('live');
  const endListeners: ((liveSessionId: string) => void)[] = [];
  const { source, subSource, audioSource, sourceFps } = configuration;
  const demoFolder = fileURLToPath(new URL('assets/demo', packageFolder()));
  const captureData: CaptureWorkerData = {
    ring,
    logLevel,
    source,
    subSource,
    audioSource,
    sourceFps,
    demoFolder,
  };
  const liveData: LiveWorkerData = { ring, logLevel, live: configuration.live };

  const capture = new SupervisedWorker<CaptureCommand, CaptureReport>({
    ...common,
    name: 'capture',
    entry: workerEntry('capture'),
    workerData: captureData,
    resourceLimits: resourceLimits.capture,
    onReport(report) {
      if (report.type !== 'tracks') return;
      // Kept over capture's death: the next life of the same source most likely has the same tracks.
      tracks = report.tracks;
      live.post({ type: 'tracks', tracks });
    },
  });
  const live: Workers['live'] = new SupervisedWorker<LiveCommand, LiveReport>({
    ...common,
    name: 'live',
    entry: workerEntry('live'),
    workerData: liveData,
    resourceLimits: resourceLimits.live,
    onUp() {
      live.post({ type: 'tracks', tracks });
      requests.open(command => live.post(command));
    },
    onDown() {
      requests.close();
    },
    onReport(report) {
      if (report.type === 'session-ended') {
        logger.info('live session ended', { session: report.sessionId, reason: report.reason });
        for (const listener of endListeners) listener(report.sessionId);
      } else requests.take(report as WorkerReport);
    },
  });
  return {
    capture,
    live,
    requests,
    tracks: () => tracks,
    onLiveSessionEnded: listener => {
      endListeners.push(listener);
    },
  };
}

/** Workers as the supervisor sees them, sources as the capture worker counts them. */
function healthOf(
  workers: readonly WorkerHealth[],
  capture: Stats | undefined,
  accounts: AccountsState,
  recorder: RecorderHealth | undefined,
): HealthReport {
  const sources = Object.entries(capture?.values ?? {}).flatMap(([name, value]) =>
    name.endsWith(sourceUpSuffix) ? [{ name: name.slice(0, -sourceUpSuffix.length), isUp: value === 1 }] : [],
  );
  const isWell =
    workers.every(({ state }) => state === 'running') &&
    sources.every(({ isUp }) => isUp) &&
    accounts !== 'damaged' &&
    (!recorder || wellStates.has(recorder.state));
  return { status: isWell ? 'ok' : 'degraded', workers, sources, recorder };
}

/** What a new firmware has to do again. */
function doingOf({ sources, recorder }: HealthReport): Trial['expected'] {
  return {
    pictures: sources.some(({ name, isUp }) => name === 'main' && isUp),
    recording: recorder?.state === 'recording',
  };
}

function mainValues(
  supervisor: Supervisor,
  upUs: number,
  eventLoopDelay: EventLoopDelay,
): Record<string, number> {
  const { p50Us, p99Us, maxUs } = eventLoopDelay.take();
  const values: Record<string, number> = {
    uptime_seconds: Math.floor(upUs / 1_000_000),
    resident_bytes: process.memoryUsage.rss(),
    heap_used_bytes: process.memoryUsage().heapUsed,
    // Since the scrape before.
    event_loop_delay_p50_us: p50Us,
    event_loop_delay_p99_us: p99Us,
    event_loop_delay_max_us: maxUs,
  };
  for (const { name, state, restarts } of supervisor.health()) {
    values[`worker_${name}_running`] = state === 'running' ? 1 : 0;
    values[`worker_${name}_restarts_total`] = restarts;
  }
  return values;
}

/** Tells people where the camera is and how it is opened; the only place that writes the setup token down. */
function announce(
  logger: Logger,
  host: string,
  port: number,
  scheme: 'http' | 'https',
  { state, setupToken }: Accounts,
): void {
  const url = addressUrl(host, port, scheme);
  logger.info(`camera ready: ${url}`);
  if (isWildcard(host))
    for (const address of Object.values(networkInterfaces()).flat())
      if (address && !address.internal && !address.address.startsWith('fe80'))
        logger.info(`on the network: ${addressUrl(address.address, port, scheme)}`);
  // The fragment stays in the browser: it is neither sent nor logged by anything on the way.
  if (state === 'factory')
    logger.info(`set up the camera: ${url}#setup=${setupToken} (setup token ${setupToken})`);
  if (state === 'damaged')
    logger.error(
      'the user database is damaged, so nobody can log in; restore it, or run opencamerad factory-reset',
    );
}
