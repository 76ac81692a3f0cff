/**
 * The recorder stage: looks at the card, then records the streams that are asked for, and says how the card is.
 *
 * One loop for each stream, asleep on the ring in between. Whatever the card does costs recordings at most: the loop
 * waits, tells the state, tries again with growing pauses, and goes on at the next random access point. Recorder thread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CameraError } from '../base/errors.ts';
import type { CardState, RecorderCommand, RecorderReport, RecorderRequest, Stats } from '../ipc/messages.ts';
import type { RecorderWorkerData } from '../ipc/worker-data.ts';
import type { Stage, StageContext } from '../ipc/worker-port.ts';
import type { RecordedStream } from '../isobmff/recorded-segment.ts';
import { RingWait } from '../ring/ring-wait.ts';
import { errorFields } from '../telemetry/log.ts';
import { admitCard, refusalOf } from './card-guard.ts';
import { reconcileCard } from './card-reconcile.ts';
import { flushPauseMs, retryMsMax, retryMsMin, ringWaitMs, stalledMs } from './limits.ts';
import { mendSegment, type SegmentName } from './segment-repair.ts';
import { StreamRecorder } from './stream-recorder.ts';

/** For workers/recorder.ts. */
export function startRecorder(
  data: RecorderWorkerData,
  context: StageContext<RecorderReport>,
): Stage<RecorderCommand> {
  const stage = new RecorderStage(data, context);
  stage.start();
  return stage;
}

class RecorderStage implements Stage<RecorderCommand> {
  private readonly data: RecorderWorkerData;
  private readonly context: StageContext<RecorderReport>;
  private readonly pressure: Int32Array;
  private readonly wait: RingWait;
  private readonly recorders: StreamRecorder[] = [];
  private readonly numbers: [number, number] = [1, 1];
  private readonly loops: Promise<void>[] = [];
  private readonly abandoned: SegmentName[] = [];
  private readonly ending = new AbortController();
  private readonly busySince = new Map<StreamRecorder, number | undefined>();
  private readonly turns = new Map<StreamRecorder, Promise<void>>();
  private state: CardState | undefined;
  private isMount: boolean | undefined;
  private expectedMount: boolean | undefined;
  private flushedMonoUs = Number.NEGATIVE_INFINITY;
  private readonly pauses = new Set<() => void>();

  constructor(data: RecorderWorkerData, context: StageContext<RecorderReport>) {
    this.data = data;
    this.expectedMount = data.expectedMount;
    this.context = context;
    this.pressure = new Int32Array(data.pressure);
    this.wait = new RingWait(data.ring);
  }

  start(): void {
    this.loops.push(this.run());
  }

  command(command: { readonly type: string }): void {
    if (command.type === 'room-made') this.endPauses();
    if (command.type === 'start-over')
      void this.stop().finally(() =>
        this.context.fail(new CameraError('worker-unavailable', 'the index of the recordings is made anew')),
      );
  }

  async request(request: RecorderRequest): Promise<unknown> {
    const nowUs = this.context.clock.monoUs();
    // While the card fails it is tried at growing intervals, whatever is asked.
    const isAllowed = this.pauses.size === 0 && nowUs - this.flushedMonoUs > flushPauseMs * 1000;
    if (request.kind === 'flush' && isAllowed) {
      this.flushedMonoUs = nowUs;
      // The failure was told of in the turn.
      await Promise.allSettled(this.recorders.map(recorder => this.inTurn(recorder, () => recorder.flush())));
    }
    return { flushed: true };
  }

  stats(): Stats {
    const nowUs = this.context.clock.monoUs();
    const values: Record<string, number> = {
      recording: this.state === 'recording' ? 1 : 0,
      heap_used_bytes: process.memoryUsage().heapUsed,
    };
    let behindMs = 0;
    for (const [i, recorder] of this.recorders.entries()) {
      const name = i === 0 ? '' : 'second_';
      for (const [key, value] of Object.entries(recorder.counters))
        values[`${name}${key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}_total`] = value;
      const since = this.busySince.get(recorder);
      if (since !== undefined) behindMs = Math.max(behindMs, (nowUs - since) / 1000);
    }
    if (behindMs > stalledMs) this.tell('card-stalled', 'the card does not answer');
    values.behind_ms = Math.round(behindMs);
    Atomics.store(this.pressure, 0, Math.round(behindMs));
    return { values };
  }

  async stop(): Promise<void> {
    this.ending.abort();
    this.endPauses();
    await Promise.allSettled(this.loops);
    await Promise.allSettled(this.recorders.map(recorder => this.inTurn(recorder, () => recorder.finish())));
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    const { recorder: configuration, folder, deviceUuid, known } = this.data;
    this.tell('waiting', 'looking at the card');
    const look = await this.persist(async () => {
      await this.admit();
      return reconcileCard({
        folder,
        deviceUuid,
        known,
        report: report => this.context.report(report),
        onUnreadable: (file, error) =>
          this.context.logger.warn('a file of the recordings cannot be looked at', {
            file,
            ...errorFields(error),
          }),
        signal,
      });
    });
    if (!look) return;
    this.numbers[0] = look.highest[0] + 1;
    this.numbers[1] = look.highest[1] + 1;
    // What is torn is mended while recording goes on already.
    this.loops.push(
      look.done.catch(error =>
        this.context.logger.warn('the look at the card was not ended', errorFields(error)),
      ),
    );
    const streams: RecordedStream[] =
      configuration.streams === 'both' ? [0, 1] : [configuration.streams === 'main' ? 0 : 1];
    for (const stream of streams) {
      const recorder = this.makeRecorder(stream);
      this.recorders.push(recorder);
      this.loops.push(this.record(recorder));
    }
  }

  /** Rejects with what forbids to record to the folder. What was a card once has to be one from then on. */
  private async admit(): Promise<void> {
    const { guard } = this.data.recorder;
    const { expectedMount } = this;
    this.isMount = await admitCard({ ...this.data, expectedMount, guard });
    this.expectedMount ??= this.isMount;
  }

  private makeRecorder(stream: RecordedStream): StreamRecorder {
    const { ring, folder, deviceUuid, recorder: configuration } = this.data;
    const { clock, report } = this.context;
    return new StreamRecorder({
      ring,
      stream,
      folder,
      deviceUuid,
      segmentMs: configuration.segmentSeconds * 1000,
      maxLossUs: configuration.maxLossSeconds * 1e6,
      clock,
      nextNumber: () => this.numbers[stream]++,
      admit: () => this.admit(),
      onOpened: segment => {
        report({ type: 'segment-opened', segment });
        // The card is usable again, so what was left when it failed can be mended.
        for (const name of this.abandoned.splice(0)) this.loops.push(this.mend(name));
      },
      onFragment: (segmentNumber, fragment) => {
        report({ type: 'fragment', stream, segmentNumber, fragment });
        this.tell('recording', 'recording');
      },
      onClosed: segment => report({ type: 'segment-closed', segment }),
      onAbandoned: segment => {
        this.abandoned.push({ deviceUuid, stream, number: segment.number, path: segment.path });
      },
    });
  }

  /** Never rejects: what cannot be mended now is found by the next start. */
  private async mend(name: SegmentName): Promise<void> {
    try {
      const mended = await mendSegment(this.data.folder, name, this.ending.signal);
      if (mended)
        this.context.report({
          type: 'segment-found',
          segment: mended.segment,
          fragments: mended.fragments,
        });
      // Nothing of it came to the card.
      else this.context.report({ type: 'segments-missing', segments: [name] });
    } catch (error) {
      this.context.logger.warn('a file of the recordings cannot be mended now', errorFields(error));
    }
  }

  private async record(recorder: StreamRecorder): Promise<void> {
    while (!this.ending.signal.aborted) {
      const done = await this.persist(() => this.inTurn(recorder, () => recorder.step()));
      if (done === undefined) return;
      const answer = this.wait.forRecordAsync(recorder.position, ringWaitMs);
      if (typeof answer === 'boolean') await new Promise<void>(resolve => setImmediate(resolve));
      else await answer;
    }
  }

  /** One use of a recorder at a time; when it fails, the file is let go of before the next. */
  private async inTurn(recorder: StreamRecorder, act: () => Promise<void>): Promise<true> {
    const before = this.turns.get(recorder) ?? Promise.resolve();
    const turn = before.then(async () => {
      this.busySince.set(recorder, this.context.clock.monoUs());
      try {
        await act();
      } catch (error) {
        await recorder.afterFailure(error);
        this.tellFailure(error);
        throw error;
      } finally {
        // Not deleted: a table that shrinks and grows each time is garbage that lives long.
        this.busySince.set(recorder, undefined);
      }
    });
    this.turns.set(
      recorder,
      turn.catch(() => undefined),
    );
    await turn;
    return true;
  }

  /** Tries until it succeeds or the stage ends; undefined then. */
  private async persist<T>(act: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.ending;
    for (let pauseMs = retryMsMin; !signal.aborted; pauseMs = Math.min(2 * pauseMs, retryMsMax)) {
      try {
        return await act();
      } catch (error) {
        this.tellFailure(error);
        await this.pause(pauseMs);
      }
    }
    return undefined;
  }

  private async pause(ms: number): Promise<void> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    this.pauses.add(end);
    await delay(ms, undefined, { ref: false, signal: ending.signal }).catch(() => undefined);
    this.pauses.delete(end);
  }

  private endPauses(): void {
    for (const end of this.pauses) end();
  }

  private tellFailure(error: unknown): void {
    const { state, message } = refusalOf(error);
    this.tell(state, message);
  }

  private tell(state: CardState, detail: string): void {
    if (state === this.state) return;
    this.state = state;
    this.context.report({ type: 'card', state, detail, isMount: this.isMount });
  }
}
