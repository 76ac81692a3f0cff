/**
 * Cuts what a child process prints into lines for the log, and keeps it from filling the log.
 *
 * Lines end at LF, CR LF, or CR alone (ffmpeg's progress; such lines are `debug`). A line has a bounded length, and a
 * second a bounded number of lines; what is left out is counted and told with the next line that passes. The text is
 * made printable by the logger. Capture thread only.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { childLineCharactersMax, childLinesPerSecondMax } from './limits.ts';

/** User and password in a URL: programs print the address that they open, and it may not be kept in a log. */
const credentials = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

const lineFeed = 10;
const carriageReturn = 13;

export class ChildLines {
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly source: string;
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  /** A CR came; whether it is the first half of a CR LF is told by what follows. */
  private afterCarriageReturn = false;
  private secondStartUs = Number.NEGATIVE_INFINITY;
  private linesInSecond = 0;
  private suppressed = 0;

  /** @param source name of the source, for the log. */
  constructor(source: string, clock: Clock, logger: Logger) {
    this.source = source;
    this.clock = clock;
    this.logger = logger;
  }

  /** Takes what was printed; the bytes are not kept. */
  push(bytes: Buffer): void {
    const text = this.decoder.write(bytes);
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.afterCarriageReturn) this.endLine(code !== lineFeed);
      this.afterCarriageReturn = code === carriageReturn;
      if (code !== lineFeed && code !== carriageReturn) continue;
      this.append(text.slice(start, at));
      if (code === lineFeed) this.endLine(false);
      start = at + 1;
    }
    this.append(text.slice(start));
  }

  /** The child has ended: an unfinished line is one too. */
  end(): void {
    this.append(this.decoder.end());
    this.endLine(false);
    if (this.suppressed > 0) this.write('debug', '(end)');
  }

  private append(text: string): void {
    const room = childLineCharactersMax - this.line.length;
    if (room > 0) this.line += text.slice(0, room);
  }

  private endLine(isProgress: boolean): void {
    const line = this.line.trimEnd();
    this.line = '';
    if (line === '') return;
    const nowUs = this.clock.monoUs();
    if (nowUs - this.secondStartUs >= 1_000_000) {
      this.secondStartUs = nowUs;
      this.linesInSecond = 0;
    }
    if (++this.linesInSecond > childLinesPerSecondMax) this.suppressed++;
    else this.write(isProgress ? 'debug' : 'info', line);
  }

  private write(level: 'debug' | 'info', line: string): void {
    const suppressed = this.suppressed > 0 ? this.suppressed : undefined;
    this.suppressed = 0;
    this.logger[level](line.replace(credentials, '$1…@'), {
      source: this.source,
      stream: 'stderr',
      suppressed,
    });
  }
}
