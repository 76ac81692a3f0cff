/**
 * The machine under the camera: Node.js, kernel, memory, open files, and the clock that names the recordings.
 */
import { readFile, stat } from 'node:fs/promises';
import { release, totalmem } from 'node:os';
import { plausibleUnixMs } from '../../http/limits.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

/** Memory of the daemon with viewers (ARCHITECTURE.md, memory budget) and of a small system beside it, bytes. */
const memoryBytesMin = 256e6;

/** 256 connections, 16 viewers with their sockets, segments and databases. */
const openFilesMin = 1024;

/** First kernel with UDP segmentation offload, which the native data plane sends by. */
const kernelWithSegmentation = [4, 18] as const;

/** Written by systemd-timesyncd, and by chrony and ntpd for compatibility, once the clock was set over the network. */
const synchronisedMarks = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid', '/run/ntpd.pid'];

export function checkNode(): readonly Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 15);
  const found = `Node.js ${process.versions.node} on ${process.platform} ${process.arch}`;
  return [
    isEnough ? good('node', found) : problem('node', `${found} is too old`, 'install Node.js 20.15 or newer'),
  ];
}

export function checkKernel(): readonly Finding[] {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const [wantedMajor, wantedMinor] = kernelWithSegmentation;
  if (process.platform !== 'linux')
    return [
      warning('kernel', `${process.platform} is not Linux`, 'the camera is built for and tested on Linux'),
    ];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
    ? [good('kernel', `Linux ${release()}`)]
    : [
        warning(
          'kernel',
          `Linux ${release()} has no UDP segmentation`,
          'Linux 4.18 or newer spends less on viewers',
        ),
      ];
}

export async function checkMemory(): Promise<readonly Finding[]> {
  const bytes = totalmem();
  const found = `${Math.floor(bytes / 1e6)} MB of memory`;
  const advice =
    'use a smaller ring (--ring-data-bytes) and cheaper passwords (--accounts-argon2-memory-kib 7168)';
  return [bytes >= memoryBytesMin ? good('memory', found) : warning('memory', `only ${found}`, advice)];
}

export async function checkOpenFiles(): Promise<readonly Finding[]> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return [];
  const isEnough = soft === 'unlimited' || Number(soft) >= openFilesMin;
  return [
    isEnough
      ? good('open files', `limit ${soft}`)
      : warning(
          'open files',
          `the limit is ${soft}`,
          `raise it to ${openFilesMin} (ulimit -n, or LimitNOFILE= of systemd)`,
        ),
  ];
}

export async function checkClock(nowUnixMs = Date.now()): Promise<readonly Finding[]> {
  const now = new Date(nowUnixMs).toISOString();
  if (nowUnixMs < plausibleUnixMs)
    return [
      problem(
        'clock',
        `the clock says ${now}`,
        'set it, or let the machine set it by NTP: recordings are found by time',
      ),
    ];
  for (const mark of synchronisedMarks)
    if (await stat(mark).catch(() => undefined)) return [good('clock', `${now}, kept by NTP`)];
  return [
    warning('clock', `${now}, and nothing shows that NTP keeps it`, 'install systemd-timesyncd or chrony'),
  ];
}
