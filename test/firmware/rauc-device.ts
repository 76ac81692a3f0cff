/**
 * A device whose slots RAUC keeps: Debian's rauc as a D-Bus service on a bus of its own, two slots that are files, and in place
 * of the boot loader a script that remembers what it is told (RAUC's "custom" boot loader). Bundles are real ones. Needs
 * root, since RAUC mounts bundles.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { requireProgram } from '../support/requires.ts';

const compatible = 'opencamerad-test';

function run(file: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

export class RaucDevice {
  readonly folder: string;
  /** Of `rauc`, with the bus and the configuration in it, as {@link raucTool} takes it. */
  readonly rauc: string;
  /** Counts restarts. */
  readonly reboot: string;
  private readonly bus: ChildProcess;
  private readonly busAddress: string;
  private service: ChildProcess | undefined;

  private constructor(folder: string, bus: ChildProcess, busAddress: string) {
    this.folder = folder;
    this.bus = bus;
    this.busAddress = busAddress;
    this.rauc = this.script('rauc', `DBUS_SYSTEM_BUS_ADDRESS=${busAddress} exec rauc "$@"`);
    this.reboot = this.script('reboot', `echo restarted >> ${folder}/restarts`);
  }

  /** A new device that runs slot A; undefined, with the test skipped, where a program is missing. */
  static async make(t: TestContext): Promise<RaucDevice | undefined> {
    for (const program of ['rauc', 'dbus-daemon', 'openssl', 'mksquashfs'])
      if (!requireProgram(t, program)) return undefined;
    if (process.getuid?.() !== 0) {
      t.skip('RAUC mounts bundles, which needs root');
      return undefined;
    }
    const folder = mkdtempSync(path.join(os.tmpdir(), 'rauc-test-'));
    writeFileSync(
      path.join(folder, 'bus.conf'),
      `<busconfig><listen>unix:path=${folder}/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`,
    );
    const bus = spawn('dbus-daemon', ['--nofork', '--print-address', `--config-file=${folder}/bus.conf`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [address] = (await once(createInterface({ input: bus.stdout! }), 'line')) as [string];
    const device = new RaucDevice(folder, bus, address);
    t.after(() => device.remove());
    device.writeFiles();
    await device.start('A');
    return device;
  }

  /** The device restarts into a slot. */
  async start(slot: 'A' | 'B'): Promise<void> {
    await this.stop();
    const service = spawn(
      'rauc',
      ['-c', path.join(this.folder, 'system.conf'), `--override-boot-slot=${slot}`, 'service'],
      {
        stdio: 'ignore',
        env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: this.busAddress },
      },
    );
    this.service = service;
    const wait = [
      '--system',
      '--dest=org.freedesktop.DBus',
      '--print-reply',
      '/',
      'org.freedesktop.DBus.NameHasOwner',
    ];
    for (let tries = 0; tries < 200; tries++) {
      const { stdout } = spawnSync('dbus-send', [...wait, 'string:de.pengutronix.rauc'], {
        encoding: 'utf8',
        timeout: 5000,
        env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: this.busAddress },
      });
      if (stdout.includes('true')) return;
      if (service.exitCode !== null) break;
    }
    throw new Error('rauc service does not come up');
  }

  /** A bundle (`.raucb`), signed for this device unless another key is asked for. */
  bundle(content: Uint8Array, version: string, key: 'own' | 'other' = 'own'): Buffer {
    const source = path.join(this.folder, 'content');
    rmSync(source, { recursive: true, force: true });
    mkdirSync(source);
    writeFileSync(path.join(source, 'system.img'), content);
    writeFileSync(
      path.join(source, 'manifest.raucm'),
      `[update]\ncompatible=${compatible}\nversion=${version}\n[bundle]\nformat=plain\n[image.system]\nfilename=system.img\n`,
    );
    const file = path.join(this.folder, 'made.raucb');
    rmSync(file, { force: true });
    run(
      'rauc',
      `--cert=${this.folder}/${key}.crt`,
      `--key=${this.folder}/${key}.key`,
      'bundle',
      source,
      file,
    );
    return readFileSync(file);
  }

  /** What lies in a slot. */
  slot(name: 'A' | 'B'): Buffer {
    return readFileSync(path.join(this.folder, `${name}.img`));
  }

  /** What the boot loader was told: a file of its memory; undefined before. */
  told(name: 'primary' | 'state.A' | 'state.B' | 'restarts'): string | undefined {
    try {
      return readFileSync(path.join(this.folder, name), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  private writeFiles(): void {
    const { folder } = this;
    for (const name of ['own', 'other'])
      run(
        ...(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650'] as const),
        ...['-subj', `/CN=${name}`, '-keyout', `${folder}/${name}.key`, '-out', `${folder}/${name}.crt`],
      );
    for (const name of ['A', 'B']) run('truncate', '-s', '4M', path.join(folder, `${name}.img`));
    mkdirSync(path.join(folder, 'mnt'));
    const loader = this.script(
      'loader',
      `cd ${folder}
case "$1" in
  get-primary) cat primary 2>/dev/null || echo A ;;
  set-primary) echo "$2" > primary; echo good > "state.$2" ;;
  get-state) cat "state.$2" 2>/dev/null || echo good ;;
  set-state) echo "$3" > "state.$2" ;;
esac`,
    );
    const slots = ['A', 'B'].map(
      (name, i) => `[slot.system.${i}]\ndevice=${folder}/${name}.img\ntype=raw\nbootname=${name}\n`,
    );
    writeFileSync(
      path.join(folder, 'system.conf'),
      `[system]\ncompatible=${compatible}\nbootloader=custom\nbundle-formats=plain\nmountprefix=${folder}/mnt\n` +
        `statusfile=${folder}/status\n[keyring]\npath=${folder}/own.crt\n` +
        `[handlers]\nbootloader-custom-backend=${loader}\n${slots.join('')}`,
    );
  }

  private script(name: string, text: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  private async stop(): Promise<void> {
    const { service } = this;
    if (!service || service.exitCode !== null) return;
    const ended = once(service, 'exit');
    service.kill();
    await ended;
  }

  private async remove(): Promise<void> {
    await this.stop();
    this.bus.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
