/**
 * How an LMDB environment is opened; with database.ts, scan.ts and recordings/ the only code that knows lmdb.
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

/** An environment of fixed-layout records: keys and values are bytes, keys in the order of `memcmp`. */
export type BinaryEnvironment = RootDatabase<Buffer, Buffer>;

/** Opens the environment in the folder; throws what lmdb throws. The folder must exist. */
export function openEnvironment(folder: string, { mode }: { readonly mode: EnvironmentMode }): Environment {
  return open<string, string>({ ...optionsOf(folder, mode), encoding: 'string', mapSize: mapBytes });
}

/** As {@link openEnvironment}, for bytes. `mapSize` is address space in bytes: as far as the file may ever grow. */
export function openBinaryEnvironment(
  folder: string,
  { mode, mapSize }: { readonly mode: EnvironmentMode; readonly mapSize: number },
): BinaryEnvironment {
  return open<Buffer, Buffer>({
    ...optionsOf(folder, mode),
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize,
  });
}

// `permissionsMode` and `eventTurnBatching` are taken by the library but left out of its types.
function optionsOf(folder: string, mode: EnvironmentMode) {
  return {
    path: folder,
    noSubdir: false,
    maxDbs: 1,
    readOnly: mode === 'read',
    noSync: mode === 'rehearse',
    overlappingSync: false,
    safeRestore: true,
    eventTurnBatching: false,
    permissionsMode: 0o600,
  };
}
