/** What errors of the file system mean for an upgrade. */
import { CameraError } from '../base/errors.ts';

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The error as it is if it is a CameraError, else `firmware-no-room` or `firmware-storage-failed`. */
export function storageError(error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return fullCodes.has(code ?? '')
    ? new CameraError('firmware-no-room', 'the disk of the slots is full', {}, { cause: error })
    : new CameraError(
        'firmware-storage-failed',
        `the slot cannot be written: ${message}`,
        {},
        { cause: error },
      );
}

/** Runs something that touches the disk; rejects with CameraError alone. */
export async function onDisk<Value>(work: () => Promise<Value> | Value): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
