/**
 * The libraries with native code: whether they load on this machine with this Node.js, and which data plane runs.
 *
 * Each is loaded by the very module that the camera loads it by, so that what is found here holds for it too.
 */
import { hashMsMax } from '../../auth/password-hasher.ts';
import type { Configuration } from '../../config/configuration.ts';
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

export function checkDataPlane(): readonly Finding[] {
  return [good('data plane', 'JavaScript; this version has no native one yet')];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
