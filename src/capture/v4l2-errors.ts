/**
 * What a V4L2 device's refusals mean to the person who owns the camera. Pure.
 */
import { CameraError } from '../base/errors.ts';
import { v4l2ErrorCode } from '../native/v4l2.ts';

const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such device; is it plugged in?',
  ENODEV: 'the device is gone; was it unplugged?',
  ENXIO: 'there is no device behind it',
  EACCES: 'it may not be opened; add the user that runs the camera to the group video',
  EPERM: 'it may not be opened; add the user that runs the camera to the group video',
  EBUSY: 'another program is using it',
  ENOTTY: 'it is no V4L2 device, or one that cannot do this',
  EINVAL: 'the device refuses it',
  ENOMEM: 'there is not enough memory for its buffers (see CMA in the documentation of the board)',
  ENOSPC: 'the USB bus has no room for its pictures; ask for a smaller size or rate, or use another port',
  EPROTO: 'the device breaks its protocol',
  EIO: 'the device failed',
};

/** The error of a run: `what` was being done with `device`. An error that says enough already is passed on. */
export function v4l2Failure(device: string, what: string, error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  const code = v4l2ErrorCode(error) ?? '';
  const message = error instanceof Error ? error.message : String(error);
  const meaning = Object.hasOwn(meanings, code) ? `: ${meanings[code]}` : '';
  return new CameraError(
    'source-failed',
    `${device}: ${what} failed${meaning} (${message})`,
    {},
    { cause: error },
  );
}

/** A device that cannot be used as it is asked to; said once where time cannot heal it. */
export function v4l2Unusable(device: string, why: string): CameraError {
  return new CameraError('source-failed', `${device} ${why}`, { permanent: true });
}
