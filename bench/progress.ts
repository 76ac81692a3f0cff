/**
 * Says what a run is doing: one line that changes on a terminal, a plain line for each step elsewhere.
 *
 * On standard error, so that the table on standard output can be piped. Main thread.
 */
import { clearLine, cursorTo } from 'node:readline';

export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly startedMs = performance.now();
  private last = '';

  /** @param stream standard error unless a test gives another. */
  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
  }

  /** Shows a step. */
  show(text: string): void {
    if (text === this.last) return;
    this.last = text;
    const seconds = Math.floor((performance.now() - this.startedMs) / 1000);
    const line = `${String(seconds).padStart(4)} s  ${text}`;
    if (!this.stream.isTTY) {
      this.stream.write(`${line}\n`);
      return;
    }
    this.clear();
    // A line that wraps could not be taken back.
    this.stream.write(line.slice(0, (this.stream.columns || 80) - 1));
  }

  /** Takes the changing line away before something else is printed. */
  clear(): void {
    if (!this.stream.isTTY) return;
    clearLine(this.stream, 0);
    cursorTo(this.stream, 0);
  }
}
