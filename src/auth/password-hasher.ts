/**
 * Password hashes without stalling anybody: argon2id (RFC 9106) in the task pool, as PHC strings.
 *
 * What it costs to be refused must not tell whether there is such a user: a comparison for nobody does the same work, on
 * a dummy hash that no password has. With a stored hash of an older cost the dummy must cost that, which is why `verify`
 * can be told which hash to imitate. A full queue refuses before anything is looked at, so that tells nothing either.
 * Main thread; the computing is argon2-tasks.ts.
 */
import { randomBytes } from 'node:crypto';
import type { PasswordCost, TaskRunner } from '../ipc/tasks.ts';
import { formatPhc, hashBytes, parsePhc, saltBytes, storedHash } from './phc-string.ts';

/** Hashes and compares passwords. */
export interface PasswordHasher {
  /** The PHC string of a password that has passed password-rules.ts. Rejects with `hashing-busy` at once. */
  hash(password: string): Promise<string>;
  /**
   * Index of the candidate that matches, or -1; every candidate is tried whatever came before.
   *
   * @param phc the stored hash; `undefined` = no such user: same work on a dummy hash, always -1.
   * @param imitated the stored hash whose cost the dummy has; without it the configured cost.
   * Rejects with `hashing-busy` at once when too many wait, whatever `phc` is, and with `accounts-damaged` when the
   * stored hash is none or asks for more than 64 MiB, 16 passes or 4 lanes: that is never computed.
   */
  verify(phc: string | undefined, candidates: readonly string[], imitated?: string): Promise<number>;
  /** Whether the hash was made with another cost than the configured one. */
  needsRehash(phc: string): boolean;
}

/** Where the tasks run; the task pool, or a test's stand-in. */
export type HashTasks = TaskRunner;

/** Milliseconds of one hash above which a log-in feels broken; the caller warns of it at start. */
export const hashMsMax = 1000;

/** See the head of the file. */
export class PooledPasswordHasher implements PasswordHasher {
  private readonly tasks: HashTasks;
  private readonly cost: PasswordCost;
  /** Salt and hash that belong to no password: random bytes, drawn once, so that a stranger costs no more than a user. */
  private readonly dummy = { salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };

  /** @param cost the three numbers of the configuration; further keys are not looked at. */
  constructor(tasks: HashTasks, cost: PasswordCost) {
    this.tasks = tasks;
    const { argon2MemoryKib, argon2Iterations, argon2Parallelism } = cost;
    this.cost = { argon2MemoryKib, argon2Iterations, argon2Parallelism };
  }

  async hash(password: string): Promise<string> {
    return (await this.tasks.run('hash-password', { password, cost: this.cost })).phc;
  }

  async verify(phc: string | undefined, candidates: readonly string[], imitated?: string): Promise<number> {
    const known = phc ?? imitated;
    const cost = known === undefined ? this.cost : storedHash(known).cost;
    const compared = phc ?? formatPhc({ cost, ...this.dummy });
    const { index } = await this.tasks.run('verify-password', { phc: compared, passwords: candidates });
    return phc === undefined ? -1 : index;
  }

  needsRehash(phc: string): boolean {
    const stored = parsePhc(phc);
    return (
      !stored ||
      stored.salt.length !== saltBytes ||
      stored.hash.length !== hashBytes ||
      stored.cost.argon2MemoryKib !== this.cost.argon2MemoryKib ||
      stored.cost.argon2Iterations !== this.cost.argon2Iterations ||
      stored.cost.argon2Parallelism !== this.cost.argon2Parallelism
    );
  }

  /** Milliseconds that one hash of the configured cost takes on this machine now; compare with {@link hashMsMax}. */
  async measure(): Promise<number> {
    const password = randomBytes(16).toString('base64');
    return (await this.tasks.run('hash-password', { password, cost: this.cost })).hashMs;
  }
}
