/**
 * What fingers, mouse and wheel do to the time line: drag to pan, pinch or wheel to zoom, press to choose a moment; on a
 * strip with a range, its ends can be dragged. Says what is meant; what comes of it is the view's.
 */

import type { Range } from './strip-painter.ts';
import { type TimeScale, timeAt, xOf, zoomed } from './time-scale.ts';

export interface GestureHandlers {
  scale(): TimeScale;
  range(): Range | undefined;
  /** The time line is moved or zoomed; `isFinal` when the hand lets go. */
  onScale(scale: TimeScale, isFinal: boolean): void;
  /** A moment was pressed. */
  onPick(unixMs: number): void;
  onRange?(range: Range, isFinal: boolean): void;
  onHover(x: number | undefined): void;
}

/** Pixels that a press may move and still be one. */
const pressPx = 5;
/** Pixels around an end of the range that take hold of it. */
const gripPx = 18;

type Grip = 'pan' | 'start' | 'end';

/** Listens until the returned function is called. */
export function listenToGestures(element: HTMLElement, handlers: GestureHandlers): () => void {
  const pointers = new Map<number, number>();
  let grip: Grip = 'pan';
  let began: { x: number; scale: TimeScale; spreadPx: number } | undefined;
  let moved = 0;

  const xOfEvent = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left;
  const middle = (): number => [...pointers.values()].reduce((a, b) => a + b, 0) / pointers.size;
  const spread = (): number => {
    const [a, b] = [...pointers.values()];
    return a === undefined || b === undefined ? 0 : Math.abs(a - b);
  };
  const begin = (): void => {
    began = pointers.size > 0 ? { x: middle(), scale: handlers.scale(), spreadPx: spread() } : undefined;
  };

  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, xOfEvent(event));
    if (pointers.size === 1) {
      moved = 0;
      grip = gripAt(xOfEvent(event), handlers);
    } else grip = 'pan';
    handlers.onHover(undefined);
    begin();
  };
  const move = (event: PointerEvent): void => {
    const x = xOfEvent(event);
    if (!pointers.has(event.pointerId)) {
      if (event.pointerType === 'mouse') handlers.onHover(x);
      return;
    }
    pointers.set(event.pointerId, x);
    if (!began) return;
    moved = Math.max(moved, Math.abs(middle() - began.x), Math.abs(spread() - began.spreadPx));
    if (moved <= pressPx) return;
    if (grip === 'pan') handlers.onScale(dragged(began, middle(), spread()), false);
    else dragEnd(grip, x, handlers, false);
  };
  const up = (event: PointerEvent): void => {
    if (!pointers.has(event.pointerId)) return;
    const x = xOfEvent(event);
    pointers.delete(event.pointerId);
    if (pointers.size === 0) {
      if (moved <= pressPx && event.type === 'pointerup') handlers.onPick(timeAt(handlers.scale(), x));
      else if (grip === 'pan') handlers.onScale(handlers.scale(), true);
      else dragEnd(grip, x, handlers, true);
    }
    begin();
  };
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const scale = handlers.scale();
    const px = event.deltaMode === 1 ? 16 : 1;
    const isPan = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isPan) {
      const delta = (event.deltaX || event.deltaY) * px * scale.msPerPixel;
      handlers.onScale({ ...scale, centreUnixMs: scale.centreUnixMs + delta }, true);
    } else {
      const factor = Math.exp(-event.deltaY * px * 0.002);
      // With a playhead the middle stays; it is what is being played.
      const about = handlers.range() ? xOfEvent(event) : scale.widthPx / 2;
      handlers.onScale(zoomed(scale, factor, about), true);
    }
  };
  const leave = (): void => handlers.onHover(undefined);

  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('pointerleave', leave);
  element.addEventListener('wheel', wheel, { passive: false });
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('pointerleave', leave);
    element.removeEventListener('wheel', wheel);
  };
}

function gripAt(x: number, { scale, range }: GestureHandlers): Grip {
  const chosen = range();
  if (!chosen) return 'pan';
  const toStart = Math.abs(xOf(scale(), chosen.startUnixMs) - x);
  const toEnd = Math.abs(xOf(scale(), chosen.endUnixMs) - x);
  if (Math.min(toStart, toEnd) > gripPx) return 'pan';
  return toStart < toEnd ? 'start' : 'end';
}

function dragEnd(grip: 'start' | 'end', x: number, handlers: GestureHandlers, isFinal: boolean): void {
  const chosen = handlers.range();
  if (!chosen || !handlers.onRange) return;
  const unixMs = timeAt(handlers.scale(), x);
  const range =
    grip === 'start'
      ? { ...chosen, startUnixMs: Math.min(unixMs, chosen.endUnixMs - 1000) }
      : { ...chosen, endUnixMs: Math.max(unixMs, chosen.startUnixMs + 1000) };
  handlers.onRange(range, isFinal);
}

function dragged(
  began: { readonly x: number; readonly scale: TimeScale; readonly spreadPx: number },
  x: number,
  spreadPx: number,
): TimeScale {
  const factor = began.spreadPx > 10 && spreadPx > 10 ? spreadPx / began.spreadPx : 1;
  const scale = zoomed(began.scale, factor, began.x);
  return { ...scale, centreUnixMs: scale.centreUnixMs - (x - began.x) * scale.msPerPixel };
}
