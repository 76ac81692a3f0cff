/**
 * How an LMDB environment is opened; with database.ts and scan.ts the only code that knows lmdb.
 *
 * `overlappingSync: false` is LMDB's own order: data pages, fdatasync, then the meta page through a descriptor opened with
 * O_DSYNC; the promise of a transaction resolves after all three (seen with strace, src/store/README.md). With it the
 * meta page that is read back after a power cut is always one whose data is on the disk; `safeRestore` is given all the
 * same, should the library's default order ever come back. `eventTurnBatching: false`, because its block opener makes a
 * promise of its own that nobody can get at: rejected, it would end the process.
 */
import { open, type RootDatabase } from 'lmdb';

/** Address space, not disk: so much may the file grow. Given, because LMDB would start at 128 KiB and remap. */
const mapBytes = 16 * 1024 * 1024;

/** A record is text under a short text key. */
export type Environment = RootDatabase<string, string>;

/** `rehearse`: as `write`, but nothing has to last. */
export type EnvironmentMode = 'read' | 'write' | 'rehearse';

/** Opens the environment in the folder; throws what lmdb throws. The folder must exist. */
export function openEnvironment(folder: string, { mode }: { readonly mode: EnvironmentMode }): Environment {
  // `permissionsMode` and `eventTurnBatching` are taken by the library but left out of its types.
  const all = {
    path: folder,
    noSubdir: false,
    encoding: 'string' as const,
    mapSize: mapBytes,
    maxDbs: 1,
    readOnly: mode === 'read',
    noSync: mode === 'rehearse',
    overlappingSync: false,
    safeRestore: true,
    eventTurnBatching: false,
    permissionsMode: 0o600,
  };
  return open<string, string>(all);
}
