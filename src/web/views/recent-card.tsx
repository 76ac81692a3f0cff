/** Below the live picture of a phone: the last hours as a line, which leads to the time line where it is pressed. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CameraApi, Health } from '../api/camera-api.ts';
import { RecordingsList } from '../timeline/recordings-list.ts';
import { useChanges } from '../ui/hooks.ts';
import { Icon } from '../ui/icons.tsx';
import { routeTo } from '../ui/routes.ts';
import { clockText } from '../ui/texts.ts';
import { recorderText } from './health-words.ts';

const shownMs = 12 * 3_600_000;
/** Units of the drawing from edge to edge. */
const width = 360;

interface Props {
  readonly api: CameraApi;
  readonly health: Health | undefined;
}

export function RecentCard({ api, health }: Props): JSX.Element {
  const [list] = useState(() => new RecordingsList(api));
  useChanges(list);
  useEffect(() => {
    list.start();
    return () => list.stop();
  }, [list]);
  const end = Date.now();
  const xOf = (unixMs: number): number => Math.max(0, width - ((end - unixMs) / shownMs) * width);
  const pressed = (event: MouseEvent): void => {
    const { left, width: widthPx } = (event.currentTarget as Element).getBoundingClientRect();
    location.hash = routeTo('timeline', end - shownMs + ((event.clientX - left) / widthPx) * shownMs);
    event.preventDefault();
  };
  return (
    <a class="card recent" href={routeTo('timeline')} onClick={pressed}>
      <span class="recent-head">
        <strong>Last 12 hours</strong>
        <span class="small">{health && recorderText(health.recorder?.state)}</span>
        <Icon name="right" />
      </span>
      <svg viewBox={`0 0 ${width} 16`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width={width} height="16" rx="4" />
        {(list.spans ?? [])
          .filter(({ endUnixMs }) => endUnixMs > end - shownMs)
          .map(({ startUnixMs, endUnixMs }) => (
            <rect
              key={startUnixMs}
              x={xOf(startUnixMs)}
              width={Math.max(1.5, xOf(endUnixMs) - xOf(startUnixMs))}
              height="16"
              rx="2"
            />
          ))}
      </svg>
      <span class="recent-foot small figures">
        <span>{clockText(end - shownMs).slice(0, 5)}</span>
        <span>{clockText(end - shownMs / 2).slice(0, 5)}</span>
        <span>now</span>
      </span>
    </a>
  );
}
