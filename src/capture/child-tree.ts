/**
 * A shell command with everything it starts, as one thing that can be ended for sure.
 *
 * The command runs in a process group of its own. To stop it the group gets SIGTERM and, a second later, SIGKILL. The
 * group dies with us too, however we die: a small watcher in it reads from a pipe that only this process holds, and when
 * that pipe closes (this thread was terminated, the daemon was killed) it kills the group. So no camera program is left
 * behind that holds the camera while the next one cannot open it. The watcher also keeps the group's number from being
 * given to somebody else. Nothing here blocks; capture thread only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { childGraceMs } from './limits.ts';

/** `$1` is the command. The watcher ignores the polite signals: it has to outlive those who do. */
const script = `
{ trap '' TERM INT HUP; read -r _; kill -s KILL 0; } <&3 >/dev/null 2>&1 &
exec 3<&-
exec /bin/sh -c "$1"
`;

/** What a stream socket or pipe gives in one read of the event loop at most; a shorter read left it empty. */
export const readBytesMax = 65_536;

export interface ChildTreeEvents {
  /** Bytes of its standard output, valid during the call; `drained` tells that there were no more at that time. */
  output(bytes: Buffer, drained: boolean): void;
  /** Bytes of its standard error, valid during the call. */
  errorOutput(bytes: Buffer): void;
  /** It is over, and its whole group is gone or killed. `reason` is a sentence without a full stop. Once. */
  ended(reason: string): void;
}

export class ChildTree {
  private readonly child: ChildProcess;
  private readonly events: ChildTreeEvents;
  private exited: string | undefined;
  private openStreams = 2;
  private graceTimer: NodeJS.Timeout | undefined;
  private finished = false;
  private readonly gone: Promise<void>;
  private resolveGone!: () => void;

  /** Starts `command` with `sh -c`. A shell that cannot be started is told by `ended`. */
  constructor(command: string, events: ChildTreeEvents) {
    this.events = events;
    this.gone = new Promise(resolve => {
      this.resolveGone = resolve;
    });
    this.child = spawn('/bin/sh', ['-c', script, 'sh', command], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.child.on('error', error => this.onExit(`it cannot be started: ${error.message}`));
    this.child.on('exit', (status, signal) =>
      this.onExit(signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`),
    );
    this.listen(this.child.stdout, bytes => events.output(bytes, bytes.length < readBytesMax));
    this.listen(this.child.stderr, bytes => events.errorOutput(bytes));
    // A pipe that breaks says so with an error event; what it means is told by the exit.
    this.lifeline?.on('error', () => undefined);
  }

  /** Process group of the command; undefined when there was no process to be had. */
  get groupId(): number | undefined {
    return this.child.pid;
  }

  /** Ends the whole group: SIGTERM, then SIGKILL after a second. Resolves when it is over; `ended` is called. */
  async stop(): Promise<void> {
    if (!this.finished && this.graceTimer === undefined) {
      this.signal('SIGTERM');
      this.graceTimer = setTimeout(() => this.finish(), childGraceMs);
      this.finishIfOver();
    }
    await this.gone;
  }

  private get lifeline(): Duplex | undefined {
    return (this.child.stdio[3] as Duplex | null) ?? undefined;
  }

  private listen(stream: Readable | null, onData: (bytes: Buffer) => void): void {
    if (!stream) {
      this.openStreams--;
      return;
    }
    stream.on('data', onData);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.openStreams--;
      // A command that closed its output gives no picture any more, whatever else it does.
      if (stream === this.child.stdout && !this.finished) void this.stop();
      this.finishIfOver();
    });
  }

  private onExit(reason: string): void {
    this.exited ??= reason;
    if (this.child.pid === undefined) this.finish();
    else this.finishIfOver();
  }

  private finishIfOver(): void {
    if (this.exited !== undefined && this.openStreams <= 0) this.finish();
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.graceTimer);
    this.signal('SIGKILL');
    this.lifeline?.destroy();
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    this.events.ended(this.exited ?? 'it did not end by itself and was killed');
    this.resolveGone();
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // ESRCH: the group is gone already, which is what was wanted.
    }
  }
}
