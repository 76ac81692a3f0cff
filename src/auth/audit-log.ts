/**
 * Who did what to the camera: STATE/audit.log, one JSON object a line, and the same in the normal log.
 *
 *     {"time":"2022-02-02T00:00:00.000Z","event":"login-failed","remoteAddress":"192.0.2.7","requestId":"…","count":12}
 *
 * Two files of 1 MiB at most; what a guesser can repeat must not push out what mattered, so the events of one kind and
 * address are counted after the first few of a minute, failures of very many addresses are counted together, and a line
 * with `count` says how many there were since. `record` only puts a line into a bounded queue; one write at a time, off
 * the event loop, in order. A folder that cannot be written costs lines and one warning, never a request. No secret
 * comes in here: callers hand over names and numbers; a field whose name sounds like one is masked all the same. Main
 * thread. The command line of another process may append too, for the file is opened anew for every batch.
 */
import type { Clock } from '../base/clock.ts';
import type { LogFields } from '../ipc/messages.ts';
import { errorFields, type Logger, printable } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { addressKey } from './address-key.ts';
import { appendLines } from './audit-file.ts';

/** Everything that is recorded. */
export type AuditEvent =
  | 'user-created'
  | 'login'
  | 'login-failed'
  | 'login-throttled'
  | 'logout'
  | 'password-reset'
  | 'session-expired'
  | 'session-ended'
  | 'session-pushed-out'
  | 'keys-rotated'
  | 'factory-reset'
  | 'configuration-changed'
  | 'upgrade-started'
  | 'upgrade-installed'
  | 'upgrade-refused'
  | 'upgrade-rolled-back'
  | 'setup-failed';

/** Who asked; also in session-free events. */
export interface Caller {
  readonly remoteAddress: string;
  readonly requestId: string;
}

/** What anybody can cause without a token. */
const failures: ReadonlySet<AuditEvent> = new Set(['login-failed', 'login-throttled', 'setup-failed']);

/** Lines of one event and address within a minute, before the rest is counted. */
export const failureLinesPerMinute = 1;
export const otherLinesPerMinute = 10;
/** Events and addresses that are told apart within a minute; beyond them an event has one minute for all addresses. */
const groupsMax = 256;
/**
 * Lines that failures may take: this many at once, and one more a minute. At the usual 200 bytes the two files hold at
 * least three days of the worst attack, and what else happened meanwhile.
 */
export const failureLinesAtOnce = 60;
/** Lines that wait for a slow card. */
export const queueLinesMax = 512;
/** Longest text of one field, in characters, and most fields of one line. */
const fieldTextMax = 256;
const fieldsMax = 16;
/** How long the end of the process waits for the last lines. */
const closeTimeoutMs = 500;
const minuteUs = 60_000_000;

const secretName = /passw|token|secret|authorization|credential|hash|phc/i;

const ownNames: ReadonlySet<string> = new Set(['time', 'event', 'remoteAddress', 'requestId']);

interface Group {
  readonly event: AuditEvent;
  readonly sinceUs: number;
  lines: number;
  counted: number;
  /** Of the latest event that was only counted. */
  caller: Caller | undefined;
}

export interface AuditLogOptions {
  /** Path of the newer file; the older is beside it with `.1`. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See the head of the file. */
export class AuditLog {
  private readonly file: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly failureLog: LogThrottle;
  private readonly faultLog: LogThrottle;
  private readonly groups = new Map<string, Group>();
  private readonly crowds = new Map<AuditEvent, number>();
  private queue: string[] = [];
  private dropped = 0;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failureLines = failureLinesAtOnce;
  private failureLinesUs: number;

  constructor({ file, clock, logger }: AuditLogOptions) {
    this.file = file;
    this.clock = clock;
    this.logger = logger;
    this.failureLog = new LogThrottle(logger, clock);
    // A folder stays unwritable for long; once in ten minutes is often enough to be seen.
    this.faultLog = new LogThrottle(logger, clock, 10 * minuteUs);
    this.failureLinesUs = clock.monoUs();
  }

  /**
   * Records an event. Never throws, never waits. `fields` hold no secret, and no text that was typed at a failed log-in:
   * people type their password where the user name belongs.
   */
  record(event: AuditEvent, caller?: Caller, fields: LogFields = {}): void {
    const nowUs = this.clock.monoUs();
    const isFailure = failures.has(event);
    const shown = { ...callerFields(caller), ...masked(fields) };
    if (isFailure) this.failureLog.log('warn', event, `audit: ${event}`, shown);
    this.sweep(nowUs);
    const group = this.groupOf(event, caller, nowUs);
    if (!group) {
      this.crowds.set(event, (this.crowds.get(event) ?? 0) + 1);
    } else if (group.lines >= (isFailure ? failureLinesPerMinute : otherLinesPerMinute)) {
      group.counted += 1;
      group.caller = caller;
    } else {
      group.lines += 1;
      this.enqueue(event, caller, fields);
      if (!isFailure) this.logger.info(`audit: ${event}`, shown);
    }
    this.arm();
  }

  /** Writes what was only counted so far and waits for the last write, but not for a card that hangs. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.failureLines = Number.POSITIVE_INFINITY;
    this.sweep(Number.POSITIVE_INFINITY);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>(resolve => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    await Promise.race([this.writing, timeout]);
    clearTimeout(timer);
  }

  /** The minute of an event and its address; undefined when a failure finds no place or no line left. */
  private groupOf(event: AuditEvent, caller: Caller | undefined, nowUs: number): Group | undefined {
    const isFull = this.groups.size >= groupsMax;
    const isFailure = failures.has(event);
    const ownKey = `${event} ${caller ? addressKey(caller.remoteAddress) : ''}`;
    const key = isFull && !isFailure && !this.groups.has(ownKey) ? event : ownKey;
    const known = this.groups.get(key);
    if (known) return known;
    if (isFailure && (isFull || !this.takeFailureLine())) return undefined;
    const group: Group = { event, sinceUs: nowUs, lines: 0, counted: 0, caller: undefined };
    this.groups.set(key, group);
    return group;
  }

  /** Ends the minutes that are over and writes what they counted. */
  private sweep(nowUs: number): void {
    const minutes = Math.floor((nowUs - this.failureLinesUs) / minuteUs);
    if (minutes > 0 && Number.isFinite(minutes)) {
      this.failureLines = Math.min(this.failureLines + minutes, failureLinesAtOnce);
      this.failureLinesUs += minutes * minuteUs;
    }
    for (const [key, group] of this.groups) {
      if (nowUs - group.sinceUs < minuteUs) continue;
      this.groups.delete(key);
      if (group.counted === 0) continue;
      const { event, caller, counted } = group;
      if (!failures.has(event) || this.takeFailureLine()) this.enqueue(event, caller, { count: counted });
      else this.crowds.set(event, (this.crowds.get(event) ?? 0) + counted);
    }
    for (const [event, count] of this.crowds) {
      if (!this.takeFailureLine()) return;
      this.crowds.delete(event);
      this.enqueue(event, undefined, { count, addresses: 'several' });
    }
  }

  private takeFailureLine(): boolean {
    if (this.failureLines < 1) return false;
    this.failureLines -= 1;
    return true;
  }

  private arm(): void {
    if (this.groups.size === 0 && this.crowds.size === 0) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.sweep(this.clock.monoUs());
      this.arm();
    }, minuteUs / 1000).unref();
  }

  private enqueue(event: AuditEvent, caller: Caller | undefined, fields: LogFields): void {
    if (this.queue.length >= queueLinesMax) {
      this.dropped += 1;
      return;
    }
    const time = new Date(this.clock.wallUnixMs()).toISOString();
    this.queue.push(JSON.stringify({ time, event, ...callerFields(caller), ...masked(fields) }));
    this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    // In the next turn, so that what is recorded together is written together.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const lines = this.queue;
      this.queue = [];
      try {
        await appendLines(this.file, lines);
        this.dropped = 0;
      } catch (error) {
        this.dropped += lines.length;
        this.faultLog.log('warn', 'audit', 'the audit log cannot be written', {
          ...errorFields(error),
          stack: undefined,
          dropped: this.dropped,
        });
      }
    }
    this.writing = undefined;
  }
}

function callerFields(caller: Caller | undefined): Record<string, string> {
  if (!caller) return {};
  return { remoteAddress: short(caller.remoteAddress), requestId: short(caller.requestId) };
}

/** The fields, printable and bounded; none in the place of our own, nothing under a name that sounds like a secret. */
function masked(fields: LogFields): Record<string, string | number | boolean | null> {
  const result: Record<string, string | number | boolean | null> = Object.create(null);
  for (const [name, value] of Object.entries(fields).slice(0, fieldsMax)) {
    if (value === undefined || ownNames.has(name)) continue;
    result[short(name)] = secretName.test(name) ? '***' : typeof value === 'string' ? short(value) : value;
  }
  return result;
}

function short(text: string): string {
  return printable(text.length > fieldTextMax ? `${text.slice(0, fieldTextMax)}…` : text);
}
