/** What the live view tells of its picture: rate, delay, loss, codec and size, a row each, for those who want to know it. */
import type { JSX } from 'preact';
import type { LiveViewer } from '../live/live-viewer.ts';
import { bitRateText, millisecondsText } from '../ui/texts.ts';

export function LiveFacts({ viewer }: { readonly viewer: LiveViewer | undefined }): JSX.Element {
  // Figures of a picture that is not there any more would be taken for those of the next.
  const isPlaying = viewer?.state === 'playing';
  const figures = isPlaying ? viewer.figures : undefined;
  const latency = isPlaying ? viewer.latencyMs : undefined;
  const rows: readonly (readonly [string, string | undefined, (string | undefined)?])[] = [
    ['Latency', latency === undefined ? undefined : millisecondsText(latency), viewer?.latencyKind],
    ['First picture after', optional(viewer?.firstFrameMs, millisecondsText)],
    ['Picture', figures?.width === undefined ? undefined : `${figures.width} × ${figures.height}`],
    ['Frame rate', optional(figures?.framesPerSecond, rate => `${Math.round(rate)} fps`)],
    ['Bit rate', optional(figures?.bitRate, bitRateText)],
    ['Video', figures?.videoCodec],
    ['Sound', figures?.audioCodec],
    ['Round trip', optional(figures?.roundTripMs, millisecondsText)],
    ['Packets lost', optional(figures?.packetsLost, String)],
    ['Frames dropped', optional(figures?.framesDropped, String)],
    ['Reconnected', optional(viewer?.reconnects, timesText)],
  ];
  return (
    <dl class="facts">
      {rows.map(([name, value, note]) => (
        <>
          <dt>{name}</dt>
          <dd title={note}>{value ?? '–'}</dd>
        </>
      ))}
    </dl>
  );
}

function optional(value: number | undefined, text: (value: number) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}

function timesText(count: number): string {
  return count === 0 ? 'never' : count === 1 ? 'once' : `${count} times`;
}
