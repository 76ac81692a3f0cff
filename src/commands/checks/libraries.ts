/**
 * The libraries with native code: whether they load on this machine with this Node.js, and which data plane runs.
 *
 * Each is loaded by the very module that the camera loads it by, so that what is found here holds for it too.
 */
import { hashMsMax } from '../../auth/password-hasher.ts';
import type { Configuration } from '../../config/configuration.ts';
import { type LoadedAddon, loadAddon } from '../../native/addon.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

const reinstall = 'install again with npm ci on this machine, or use a Node.js version that README.md names';

/** How each library is loaded; by name, because the camera's own modules do more at load than a doctor should. */
const libraries: Readonly<Record<string, () => Promise<unknown>>> = {
  'web server': () => import('../../http/uws.ts').then(({ loadLibrary }) => loadLibrary()),
  database: () => import('../../store/environment.ts'),
};

export async function checkLibraries(): Promise<readonly Finding[]> {
  return Promise.all(
    Object.entries(libraries).map(async ([name, load]) => {
      try {
        await load();
        return good(name, 'its native library loads');
      } catch (error) {
        return problem(name, `its native library does not load: ${messageOf(error)}`, reinstall);
      }
    }),
  );
}

export async function checkPasswordHash({ accounts }: Configuration): Promise<readonly Finding[]> {
  const subject = 'passwords';
  try {
    const { hashPassword } = await import('../../auth/argon2-tasks.ts');
    const { hashMs } = await hashPassword({ password: 'doctor', cost: accounts });
    const ms = Math.round(hashMs);
    const found = `one argon2id hash takes ${ms} ms`;
    return [
      ms <= hashMsMax
        ? good(subject, found)
        : warning(
            subject,
            found,
            'make it cheaper: --accounts-argon2-memory-kib 7168 --accounts-argon2-iterations 5',
          ),
    ];
  } catch (error) {
    return [problem(subject, `passwords cannot be hashed: ${messageOf(error)}`, reinstall)];
  }
}

/** @param load for tests. */
export function checkDataPlane(
  { live }: Configuration,
  load: () => LoadedAddon = loadAddon,
): readonly Finding[] {
  const subject = 'data plane';
  if (live.dataPlane === 'javascript') return [good(subject, 'JavaScript, as it is set')];
  const loaded = load();
  const missing = 'missing' in loaded ? loaded.missing : loaded.addon.dataPlane.missing;
  if (missing === undefined) return [good(subject, 'native')];
  const found = `JavaScript, for the native one is not there: ${missing}`;
  return [
    live.dataPlane === 'native'
      ? warning(
          subject,
          found,
          'install a C++ compiler and run npm run build:native, or set --live-data-plane auto',
        )
      : good(subject, found),
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
