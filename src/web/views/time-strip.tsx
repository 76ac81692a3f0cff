/**
 * The time line as an element: a canvas that fingers, mouse and keys move. In the middle stands the playhead, so what is
 * under it is what is shown; a strip with a range has the two ends of the range instead. To screen readers it is a slider.
 */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Span } from '../timeline/spans.ts';
import { listenToGestures } from '../timeline/strip-gestures.ts';
import { paintStrip, type Range } from '../timeline/strip-painter.ts';
import { type TimeScale, timeAt, zoomed } from '../timeline/time-scale.ts';
import { clockText, dayText } from '../ui/texts.ts';

interface Props {
  readonly label: string;
  readonly spans: readonly Span[];
  readonly centreUnixMs: number;
  readonly msPerPixel: number;
  readonly range?: Range;
  readonly keys?: (event: KeyboardEvent) => boolean;
  /** `isFinal` when the hand lets go. */
  onScale(centreUnixMs: number, msPerPixel: number, isFinal: boolean): void;
  onPick(unixMs: number): void;
  onRange?(range: Range, isFinal: boolean): void;
}

const heightPx = 96;
const zoomStep = 1.6;

export function TimeStrip(props: Props): JSX.Element {
  const { label, spans, centreUnixMs, msPerPixel, range } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [widthPx, setWidth] = useState(0);
  const [hoverX, setHoverX] = useState<number>();
  const scale: TimeScale = { centreUnixMs, msPerPixel, widthPx };
  const latest = useRef({ props, scale });
  latest.current = { props, scale };

  useLayoutEffect(() => {
    const element = canvas.current!;
    const measure = (): void => setWidth(element.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(
    () =>
      listenToGestures(canvas.current!, {
        scale: () => latest.current.scale,
        range: () => latest.current.props.range,
        onScale: (next, isFinal) => latest.current.props.onScale(next.centreUnixMs, next.msPerPixel, isFinal),
        onPick: unixMs => latest.current.props.onPick(unixMs),
        onRange: (next, isFinal) => latest.current.props.onRange?.(next, isFinal),
        onHover: setHoverX,
      }),
    [],
  );

  useLayoutEffect(() => {
    if (widthPx === 0) return;
    const hover = hoverX === undefined ? undefined : { x: hoverX, words: clockText(timeAt(scale, hoverX)) };
    paintStrip(canvas.current!, {
      ...{ scale, heightPx, spans, range, hover },
      nowUnixMs: Date.now(),
      hasPlayhead: range === undefined,
    });
  });

  const pressed = (event: KeyboardEvent): void => {
    const factor = {
      '+': zoomStep,
      '=': zoomStep,
      ArrowUp: zoomStep,
      '-': 1 / zoomStep,
      ArrowDown: 1 / zoomStep,
    }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (factor !== undefined) {
      const next = zoomed(scale, factor);
      props.onScale(next.centreUnixMs, next.msPerPixel, true);
    } else if (!props.keys?.(event)) return;
    event.preventDefault();
  };
  const first = spans[0]?.startUnixMs ?? centreUnixMs;
  const last = spans.at(-1)?.endUnixMs ?? centreUnixMs;
  return (
    <div
      class="strip"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={Math.round(first / 1000)}
      aria-valuemax={Math.round(last / 1000)}
      aria-valuenow={Math.round(centreUnixMs / 1000)}
      aria-valuetext={`${dayText(centreUnixMs)}, ${clockText(centreUnixMs)}`}
      onKeyDown={pressed}
    >
      <canvas ref={canvas} />
    </div>
  );
}
