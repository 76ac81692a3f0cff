/** The picture that is shown, as a PNG file. */
import { fileTime } from '../ui/texts.ts';

/** Saves it under the time of this moment; resolves to the name, or undefined when there is no picture. */
export async function saveSnapshot(
  video: HTMLVideoElement,
  unixMs = Date.now(),
): Promise<string | undefined> {
  if (video.videoWidth === 0) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/png'));
  if (!blob) return undefined;
  const name = `camera-${fileTime(unixMs)}.png`;
  saveBlob(blob, name);
  return name;
}

/** Has the browser save a file. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The browser has taken the content when the click is over, but not every browser at once.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
