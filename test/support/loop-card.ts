/** A card that tests can pull and fill: an ext4 file system in a file, mounted over a loop device. Needs root. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

function run(command: string, ...argv: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

export class LoopCard {
  /** Where it is mounted while it is in; a folder of the machine's own file system while it is not. */
  readonly folder: string;
  private readonly device: string;

  private readonly parent: string;

  private constructor(parent: string, megabytes: number) {
    this.parent = parent;
    this.folder = path.join(parent, 'card');
    const image = path.join(parent, 'card.img');
    mkdirSync(this.folder);
    run('truncate', '-s', `${megabytes}M`, image);
    run('mkfs.ext4', '-q', image);
    this.device = run('losetup', '--find', '--show', image);
  }

  /** A new card, mounted; undefined, with the test skipped, where one may not mount. */
  static insertNew(t: TestContext, megabytes: number): LoopCard | undefined {
    const parent = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-card-'));
    try {
      const card = new LoopCard(parent, megabytes);
      t.after(() => card.remove());
      card.insert();
      return card;
    } catch (error) {
      t.skip(`cannot mount a file system here: ${String(error)}`);
      rmSync(parent, { recursive: true });
      return undefined;
    }
  }

  /** Mounts it; the same file system again, however long others still hold it open. */
  insert(): void {
    run('mount', this.device, this.folder);
  }

  /** Takes it away from under whoever has files open on it. */
  pull(): void {
    run('umount', '--lazy', this.folder);
  }

  private remove(): void {
    spawnSync('umount', ['--lazy', this.folder]);
    spawnSync('losetup', ['--detach', this.device]);
    rmSync(this.parent, { recursive: true, force: true });
  }
}
