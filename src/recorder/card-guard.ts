/**
 * Whether the folder of the recordings may be written now: it is there, it is where it should be, it has room.
 *
 * A card that is missing leaves an empty folder of the machine's own file system in its place, and recording there would
 * fill what the machine boots from. Told by the device numbers (POSIX stat). Recorder thread.
 */
import { mkdir, stat, statfs } from 'node:fs/promises';
import { CameraError } from '../base/errors.ts';
import type { CardState } from '../ipc/messages.ts';
import type { RecorderWorkerData } from '../ipc/worker-data.ts';
import { freeBytesMin } from './limits.ts';

/** Why the card cannot be used: `state` says it in one word. */
export class CardRefusal extends CameraError {
  readonly state: CardState;

  constructor(state: CardState, message: string, cause?: unknown) {
    super('card-failed', message, { reason: state }, { cause });
    this.state = state;
  }
}

type Asked = Pick<RecorderWorkerData, 'folder' | 'makesFolder' | 'expectedMount'> & {
  readonly guard: RecorderWorkerData['recorder']['guard'];
};

/** Resolves to whether the folder lies on another file system than `/`; rejects with {@link CardRefusal}. */
export async function admitCard({ folder, makesFolder, expectedMount, guard }: Asked): Promise<boolean> {
  try {
    if (makesFolder) await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await stat(folder);
    if (!found.isDirectory()) throw new CardRefusal('card-missing', `${folder} is not a folder`);
    const isMount = found.dev !== (await stat('/')).dev;
    if (!isMount && guard === 'mount')
      throw new CardRefusal('card-refused', `${folder} lies on the file system of /, not on a card`);
    if (!isMount && guard === 'auto' && expectedMount === true)
      throw new CardRefusal('card-refused', `${folder} was on a card, and is not now`);
    const { bsize, bavail, blocks } = await statfs(folder);
    if (blocks > 0 && bsize * bavail < freeBytesMin) throw new CardRefusal('card-full', 'the card is full');
    return isMount;
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Takes what the file system said to a state and a sentence. */
export function refusalOf(error: unknown): CardRefusal {
  if (error instanceof CardRefusal) return error;
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new CardRefusal('card-full', 'the card is full', error);
  if (code === 'EROFS') return new CardRefusal('card-read-only', 'the card is read-only', error);
  if (isCardGone(error))
    return new CardRefusal('card-missing', 'the folder of the recordings is not there', error);
  return new CardRefusal('card-failed', `the card fails: ${message}`, error);
}

/** Whether what the file system said means that a file, or all of them, are not there any more. */
export function isCardGone(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENODEV', 'ENXIO', 'ENOTDIR', 'ESTALE'].includes(code);
}
