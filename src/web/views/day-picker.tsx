/** The days with recordings, each with its hours as little bars; the one that is shown is marked. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { daysOf, type Span } from '../timeline/spans.ts';
import { startOfDay } from '../timeline/time-scale.ts';
import { dayText } from '../ui/texts.ts';

interface Props {
  readonly spans: readonly Span[] | undefined;
  readonly currentUnixMs: number;
  onPick(dayUnixMs: number): void;
}

export function DayPicker({ spans, currentUnixMs, onPick }: Props): JSX.Element {
  const days = useMemo(() => daysOf(spans ?? []), [spans]);
  const list = useRef<HTMLUListElement>(null);
  const current = startOfDay(currentUnixMs);
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (chosen && list.current) list.current.scrollLeft = chosen.offsetLeft - list.current.clientWidth / 2;
  }, [current, days.length]);
  return (
    <ul class="days" ref={list} aria-label="Days with recordings">
      {days.map(({ startUnixMs, hours }) => (
        <li key={startUnixMs}>
          <button type="button" aria-pressed={startUnixMs === current} onClick={() => onPick(startUnixMs)}>
            {dayText(startUnixMs)}
            <svg class="hours" viewBox="0 0 96 12" preserveAspectRatio="none" aria-hidden="true">
              {hours.map((share, hour) => (
                <rect
                  key={hour}
                  x={hour * 4}
                  y={12 - Math.max(share > 0 ? 3 : 1, share * 12)}
                  width="3"
                  height={Math.max(share > 0 ? 3 : 1, share * 12)}
                  class={share > 0 ? 'on' : undefined}
                />
              ))}
            </svg>
          </button>
        </li>
      ))}
    </ul>
  );
}
