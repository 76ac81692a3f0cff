/**
 * Makes runs of a V4L2 source, if the native addon is there; else says what is missing and what can be used instead.
 *
 * The addon is looked for by each run anew, so that nothing is loaded by a camera without such a source. Capture thread
 * only.
 */
import { CameraError } from '../base/errors.ts';
import { loadAddon } from '../native/addon.ts';
import type { StartRun } from './source.ts';
import { newV4l2Memory, startV4l2, type V4l2RunOptions } from './v4l2-run.ts';

/** Each run opens the devices anew; what one learns of them the next one knows. */
export function v4l2Runs(options: Omit<V4l2RunOptions, 'binding' | 'memory'>): StartRun {
  const memory = newV4l2Memory();
  return events => {
    const loaded = loadAddon();
    if ('missing' in loaded) throw withoutAddon(options.options.device, loaded.missing);
    return startV4l2({ ...options, memory, binding: loaded.addon.v4l2 }, events);
  };
}

function withoutAddon(device: string, missing: string): CameraError {
  return new CameraError(
    'source-failed',
    `v4l2:${device} needs the native addon, and ${missing}: run npm run build:native (it takes a C++ compiler); until ` +
      `then use command:ffmpeg -f v4l2 -input_format h264 -i ${device} -c copy -f h264 -`,
    { permanent: true },
  );
}
