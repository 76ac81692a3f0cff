/**
 * What does recording cost? CPU a Mbit/s, as the difference of two daemons that run side by side on the same source, one of
 * which does not record; and bytes that reach the device for a byte of pictures and sound.
 *
 * The card is an ext4 file system of its own in a file, mounted over a loop device where that is allowed (root): then all
 * that reaches the device counts, the file system's journal too. Else what /proc/PID/io says. `npm run bench:recorder --
 * --clips demo,1080p60 --seconds 120`; about 5 minutes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Daemon } from '../../test/support/daemon.ts';
import { recordingStart } from '../../test/support/recorded.ts';
import { mediaOf } from '../../test/support/test-media.ts';
import { cpuSeconds, sleep, writtenBytes } from '../support/process-usage.ts';
import { printTable } from '../support/table.ts';

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: 'demo,1080p60' },
    seconds: { type: 'string', default: '120' },
    'max-loss-seconds': { type: 'string', default: '1' },
  },
});
const seconds = Number(values.seconds);
const sectorBytes = 512;

/** Where recordings go, and how many bytes reached it. */
interface Card {
  readonly folder: string;
  readonly kind: string;
  writtenBytes(pid: number): number;
  close(): void;
}

function run(command: string, argv: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, argv, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** A file system of its own; a plain folder where it cannot be mounted. */
function openCard(): Card {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-cost-'));
  const image = path.join(folder, 'card.img');
  const mounted = path.join(folder, 'card');
  mkdirSync(mounted);
  run('truncate', ['-s', '2G', image]);
  const made = run('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  const isMounted = made !== undefined && run('mount', ['-o', 'loop,noatime', image, mounted]) !== undefined;
  if (!isMounted)
    return {
      folder: mounted,
      kind: 'a folder, /proc/PID/io',
      writtenBytes,
      close: () => rmSync(folder, { recursive: true, force: true }),
    };
  const device = path.basename(run('findmnt', ['-n', '-o', 'SOURCE', mounted])!);
  return {
    folder: mounted,
    kind: `ext4 on ${device}`,
    writtenBytes: () =>
      Number(readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/)[6]) * sectorBytes,
    close: () => {
      run('umount', [mounted]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Reading {
  readonly cpu: number;
  readonly idleCpu: number;
  readonly device: number;
  readonly media: number;
  readonly process: number;
}

/** Bytes of pictures and sound that capture has put into the ring. */
async function mediaBytes(daemon: Daemon): Promise<number> {
  const text = await (await daemon.fetch('/metrics')).text();
  const lines = [...text.matchAll(/^opencamera_capture_(?:main|audio)_bytes_total (\d+)$/gm)];
  if (lines.length === 0) throw new Error('the metrics of the capture stage have other names');
  return lines.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

async function measure(name: string): Promise<string[]> {
  const media = mediaOf(name);
  const card = openCard();
  const flags = [
    ...media.flags,
    '--recordings',
    card.folder,
    '--recorder-max-loss-seconds',
    values['max-loss-seconds'],
  ];
  const daemons: Daemon[] = [];
  try {
    const recording = await Daemon.start({ flags });
    daemons.push(recording);
    const idle = await Daemon.start({ flags: [...media.flags, '--recorder-enabled', 'false'] });
    daemons.push(idle);
    await recordingStart(recording);
    await sleep(5000);
    const pid = recording.process.pid!;
    const read = async (): Promise<Reading> => ({
      media: await mediaBytes(recording),
      cpu: cpuSeconds(pid),
      idleCpu: cpuSeconds(idle.process.pid!),
      device: card.writtenBytes(pid),
      process: writtenBytes(pid),
    });
    const from = await read();
    await sleep(seconds * 1000);
    const to = await read();
    const bytes = to.media - from.media;
    const megabits = (bytes * 8) / 1e6 / seconds;
    const cpu = to.cpu - from.cpu - (to.idleCpu - from.idleCpu);
    return [
      name,
      megabits.toFixed(2),
      ((100 * cpu) / seconds).toFixed(2),
      ((100 * cpu) / seconds / megabits).toFixed(3),
      ((100 * (to.idleCpu - from.idleCpu)) / seconds).toFixed(2),
      ((to.device - from.device) / bytes).toFixed(3),
      ((to.process - from.process) / bytes).toFixed(3),
      card.kind,
    ];
  } finally {
    for (const daemon of daemons) await daemon.stop();
    card.close();
  }
}

const rows: string[][] = [];
for (const name of values.clips.split(',')) rows.push(await measure(name));
printTable(
  [
    'clip',
    'Mbit/s',
    'recorder % of a core',
    '% a Mbit/s',
    'the rest %',
    'device/media',
    'process/media',
    'card',
  ],
  rows,
);
