/**
 * Paints the time line onto a canvas: what is recorded, the marks of time, the range that is chosen, the playhead. Colours
 * are those of the page's style, read when they are needed, so that light and dark follow by themselves.
 */
import { firstEndingAfter, type Span } from './spans.ts';
import { boundsOf, type TimeScale, ticksOf, xOf } from './time-scale.ts';

/** Unix ms. */
export interface Range {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

export interface StripPicture {
  readonly scale: TimeScale;
  readonly heightPx: number;
  readonly spans: readonly Span[];
  readonly nowUnixMs: number;
  readonly range: Range | undefined;
  /** Where the pointer rests, with what is said there. */
  readonly hover: { readonly x: number; readonly words: string } | undefined;
  /** The playhead stands in the middle; a strip for choosing a range has none. */
  readonly hasPlayhead: boolean;
}

/** Pixels of the row of labels on top. */
const labelsPx = 24;
const gripPx = 4;

/** Paints all anew. */
export function paintStrip(canvas: HTMLCanvasElement, picture: StripPicture): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { scale, heightPx } = picture;
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(scale.widthPx * density), Math.round(heightPx * density)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, scale.widthPx, heightPx);
  context.font = `12px ${style.fontFamily}`;
  paintTrack(context, picture, colour);
  paintTicks(context, picture, colour);
  if (picture.range) paintRange(context, picture, picture.range, colour);
  if (picture.hasPlayhead) paintPlayhead(context, picture, colour);
  if (picture.hover) paintHover(context, picture, picture.hover, colour);
}

type Paint = CanvasRenderingContext2D;
type Colour = (name: string) => string;

function paintTrack(
  context: Paint,
  { scale, heightPx, spans, nowUnixMs }: StripPicture,
  colour: Colour,
): void {
  const [from, to] = boundsOf(scale);
  const top = labelsPx;
  const height = heightPx - labelsPx;
  context.fillStyle = colour('track');
  // What has not happened yet has no track.
  const end = Math.min(scale.widthPx, xOf(scale, nowUnixMs));
  if (end > 0) fillRound(context, -8, top, end + 8, height);
  context.fillStyle = colour('accent');
  context.globalAlpha = 0.85;
  for (let i = firstEndingAfter(spans, from); i < spans.length; i++) {
    const { startUnixMs, endUnixMs } = spans[i]!;
    if (startUnixMs > to) break;
    const left = Math.max(-8, xOf(scale, startUnixMs));
    const right = Math.min(scale.widthPx + 8, xOf(scale, endUnixMs));
    fillRound(context, left, top + height * 0.34, Math.max(right - left, 1.5), height * 0.32);
  }
  context.globalAlpha = 1;
}

function paintTicks(context: Paint, { scale, heightPx }: StripPicture, colour: Colour): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { unixMs, label } of ticksOf(scale)) {
    const x = Math.round(xOf(scale, unixMs)) + 0.5;
    context.fillStyle = colour('edge');
    context.globalAlpha = label === undefined ? 0.35 : 0.8;
    context.fillRect(x - 0.5, heightPx - (label === undefined ? 6 : 11), 1, label === undefined ? 6 : 11);
    context.globalAlpha = 1;
    if (label === undefined) continue;
    context.fillStyle = colour('muted');
    context.fillText(label, x, labelsPx / 2);
  }
}

function paintRange(context: Paint, { scale, heightPx }: StripPicture, range: Range, colour: Colour): void {
  const left = xOf(scale, range.startUnixMs);
  const right = xOf(scale, range.endUnixMs);
  const top = labelsPx;
  const height = heightPx - labelsPx;
  context.fillStyle = colour('accent');
  context.globalAlpha = 0.2;
  context.fillRect(left, top, right - left, height);
  context.globalAlpha = 1;
  for (const x of [left, right]) {
    context.fillRect(x - 1.5, top, 3, height);
    fillRound(context, x - gripPx - 2, top + height / 2 - 14, 2 * gripPx + 4, 28, 6);
    context.fillStyle = colour('on-accent');
    context.fillRect(x - 0.75, top + height / 2 - 6, 1.5, 12);
    context.fillStyle = colour('accent');
  }
}

function paintPlayhead(context: Paint, { scale, heightPx }: StripPicture, colour: Colour): void {
  const x = scale.widthPx / 2;
  context.fillStyle = colour('text');
  context.fillRect(x - 1, labelsPx - 6, 2, heightPx - labelsPx + 6);
  context.beginPath();
  context.arc(x, labelsPx - 6, 5, 0, 2 * Math.PI);
  context.fill();
}

function paintHover(
  context: Paint,
  { scale, heightPx }: StripPicture,
  { x, words }: { readonly x: number; readonly words: string },
  colour: Colour,
): void {
  const width = context.measureText(words).width + 16;
  const left = Math.min(Math.max(0, x - width / 2), scale.widthPx - width);
  context.fillStyle = colour('text');
  context.globalAlpha = 0.5;
  context.fillRect(x - 0.5, labelsPx, 1, heightPx - labelsPx);
  context.globalAlpha = 1;
  fillRound(context, left, 0, width, labelsPx - 2, 6);
  context.fillStyle = colour('ground');
  context.textAlign = 'left';
  context.fillText(words, left + 8, labelsPx / 2 - 1);
}

function fillRound(context: Paint, x: number, y: number, width: number, height: number, radius = 6): void {
  const bounded = Math.max(0, Math.min(radius, width / 2, height / 2));
  context.beginPath();
  context.moveTo(x + bounded, y);
  context.arcTo(x + width, y, x + width, y + height, bounded);
  context.arcTo(x + width, y + height, x, y + height, bounded);
  context.arcTo(x, y + height, x, y, bounded);
  context.arcTo(x, y, x + width, y, bounded);
  context.fill();
}
