/**
 * `index rebuild`: makes the index of the recordings anew from the files on the card, with the camera stopped.
 *
 * The camera does the same by itself when it finds the index damaged or gone; this is for whoever wants it done now, or
 * moved a card. The old index is put aside first, one of them; the files are mended where they are torn.
 */
import { existsSync } from 'node:fs';
import { readdir, readlink, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { openStateFolder } from '../config/state-folder.ts';
import type { RecorderReport } from '../ipc/messages.ts';
import { reconcileCard } from '../recorder/card-reconcile.ts';
import { RecordingIndex } from '../store/recordings/recording-index.ts';
import { indexFolder, recordingsFolder } from '../supervisor/recordings-part.ts';
import { workerEntry } from '../supervisor/worker-entry.ts';
import type { Logger } from '../telemetry/log.ts';

/** What the command is given. */
export interface IndexRebuildCommand {
  readonly configuration: Configuration;
  readonly logger: Logger;
  /** Writes results for people. */
  readonly write: (text: string) => void;
}

/** Rejects with `state-failed` when there is no camera, or one is running; `card-failed` when the card cannot be read. */
export async function indexRebuildCommand({
  configuration,
  logger,
  write,
}: IndexRebuildCommand): Promise<void> {
  const state = path.resolve(configuration.state);
  const index = indexFolder(configuration);
  const folder = recordingsFolder(configuration);
  if (!existsSync(path.join(state, 'device-uuid')))
    throw new CameraError('state-failed', `there is no camera in ${state}; name its folder by --state`);
  if (!existsSync(folder))
    throw new CameraError('card-failed', `${folder} is not there: is the card in and mounted?`);
  if (await isOpen(path.join(index, 'database', 'data.mdb')))
    throw new CameraError('state-failed', 'the camera is running; stop it first');
  await putAside(index);
  const rebuilt = await RecordingIndex.open({
    folder: index,
    logger,
    scanEntry: workerEntry('scan-database'),
  });
  try {
    const { deviceUuid } = openStateFolder(state);
    const counts = { segments: 0, fragments: 0, bytes: 0 };
    const commits: Promise<void>[] = [];
    const report = (found: RecorderReport): void => {
      if (found.type === 'segment-found') {
        rebuilt.segmentFound(found.segment, found.fragments);
        counts.segments += 1;
        counts.fragments += found.fragments.length;
        counts.bytes += found.segment.endOffset;
        if (counts.segments % 10 === 0) commits.push(rebuilt.flush());
      } else if (found.type === 'card-looked' && !found.isDone)
        write(`${found.files} of ${found.filesTotal} files\n`);
    };
    const look = await reconcileCard({
      folder,
      deviceUuid,
      known: [],
      report,
      onUnreadable: (file, error) => write(`${file} cannot be read: ${String(error)}\n`),
    });
    await look.done;
    await Promise.all(commits);
    await rebuilt.flush();
    rebuilt.rebuilt();
    const gigabytes = (counts.bytes / 1e9).toFixed(1);
    write(`The index has ${counts.segments} files, ${counts.fragments} fragments, ${gigabytes} GB.\n`);
  } finally {
    await rebuilt.close();
  }
}

/** Whether a process of this machine has the file open (Linux; those of other users are seen by root alone). */
async function isOpen(file: string): Promise<boolean> {
  const processes = await readdir('/proc').catch(() => []);
  for (const id of processes.filter(name => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${id}/fd`).catch(() => []);
    for (const descriptor of descriptors)
      if ((await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => '')) === file) return true;
  }
  return false;
}

async function putAside(folder: string): Promise<void> {
  const aside = `${folder}.before`;
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
