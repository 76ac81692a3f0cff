/**
 * `GET /api/v1/system`: version, room for recordings, ICE servers (contract.md §7 and §8).
 *
 * The room is that of the file system under the recordings folder, in whole GB of 10^9 bytes, rounded down; free is what
 * the daemon may use. Without a card both are 0, and so they are when the file system does not answer in time; `recorder`
 * says how it is. Credentials of ICE servers are masked.
 */
import { statfs } from 'node:fs/promises';
import { fileSystemTimeoutMs } from '../limits.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import type { HttpServices } from '../services.ts';
import { shownRecorder } from './health.ts';
import { shownLiveConfig } from './live-config.ts';
import { type Room, storageOf } from './storage.ts';

const bytesPerGb = 1e9;

const noCard: Room = { freeBytes: 0, totalBytes: 0 };

/** The operation "get system information". */
export function systemHandlers(
  services: Pick<HttpServices, 'accounts' | 'firmwareVersion' | 'health' | 'recordings'>,
): Pick<Handlers, 'getSystem'> {
  const roomOf = sharedQuestion(() => room(services.recordings.folder));
  return {
    async getSystem() {
      const { recordings } = services;
      const found = await withTimeout(roomOf());
      const rules = recordings.retentionRules(found.totalBytes);
      const body: AnswerOf<'getSystem'> = {
        firmwareVersion: services.firmwareVersion,
        sdcard_free: Math.floor(found.freeBytes / bytesPerGb),
        sdcard_total: Math.floor(found.totalBytes / bytesPerGb),
        live_session_config: shownLiveConfig(services.accounts.iceServers()),
        ...shownRecorder(services.health()),
        storage: storageOf(found, recordings.index.segments(0), recordings.index.segments(1), rules),
      };
      return jsonReply(body);
    },
  };
}

async function room(folder: string): Promise<Room> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
  } catch {
    return noCard;
  }
}

/** One question at a time, so that a file system that hangs takes one thread of the pool and not all four. */
function sharedQuestion<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let pending: Promise<Answer> | undefined;
  return () => {
    pending ??= ask().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}

async function withTimeout(answer: Promise<Room>): Promise<Room> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Room>(resolve => {
    timer = setTimeout(resolve, fileSystemTimeoutMs, noCard);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
