/**
 * The list of what is recorded, kept up to date: all of it once, then only what may have changed since.
 *
 * Emits `change`. Pages are bounded: who has more than 20,000 separate recordings sees the newest only when older ones go.
 */
import type { CameraApi, RecordedSpan } from '../api/camera-api.ts';
import { mergedSpans, type Span } from './spans.ts';

const everyMs = 5000;
const pagesMax = 4;

/** After so many short looks all is asked for again: recordings are deleted at the other end. */
const shortLooksMax = 24;

/** See the head of the file. */
export class RecordingsList extends EventTarget {
  /** Undefined until the first answer. */
  spans: readonly Span[] | undefined;
  error: unknown;
  private readonly api: CameraApi;
  private listed: readonly RecordedSpan[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private looks = 0;
  private isLooking = false;

  constructor(api: CameraApi) {
    super();
    this.api = api;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), everyMs);
    void this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Asks now. Never rejects. */
  async look(): Promise<void> {
    if (this.isLooking || document.visibilityState === 'hidden') return;
    this.isLooking = true;
    try {
      const last = this.looks % shortLooksMax === 0 ? undefined : this.listed.at(-1);
      const fresh = await this.pages(last && Date.parse(last.start));
      this.listed = last ? [...this.listed.slice(0, -1), ...fresh] : fresh;
      this.looks += 1;
      this.spans = mergedSpans(this.listed);
      this.error = undefined;
    } catch (error) {
      this.error = error;
    } finally {
      this.isLooking = false;
    }
    this.dispatchEvent(new Event('change'));
  }

  private async pages(fromUnixMs: number | undefined): Promise<RecordedSpan[]> {
    const spans: RecordedSpan[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await this.api.recordings(fromUnixMs, cursor);
      spans.push(...answer.spans);
      cursor = answer.next ?? undefined;
      if (cursor === undefined) break;
    }
    return spans;
  }
}
