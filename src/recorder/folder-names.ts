/** The names in a folder of the recordings, which may not be there. Recorder thread, and commands. */
import { readdir } from 'node:fs/promises';

/** None when the folder is not made yet, or is something of somebody else under its name; rejects with any other error. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
