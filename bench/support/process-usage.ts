/** What a process has used so far, from /proc; Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second of the times in /proc; 100 on every Linux that there is. */
const ticksPerSecond = 100;

/** Seconds of CPU, of all threads, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1024;
}

/** Bytes that it made the kernel write to devices. */
export function writtenBytes(pid: number): number {
  const [, bytes] = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))!;
  return Number(bytes);
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** CPU of this process, of all threads, user and system, in microseconds. */
export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Memory in bytes with what is shared with other processes counted in shares (PSS); needs the rights of its owner. */
export function proportionalBytes(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))!;
  return Number(kib) * 1024;
}

/** Nanoseconds that the threads of a process have run, by the scheduler's own count: finer than {@link cpuSeconds}. */
export function runNanoseconds(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // The thread has just ended: what it ran is lost to the sum, so no thread of a camera may end while it is measured.
    }
  return sum;
}
