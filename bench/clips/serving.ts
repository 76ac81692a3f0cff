/**
 * What does it cost to give a clip out, and whom does it disturb? The real daemon records 1080p60 all the while:
 *
 *   1. CPU a GB of downloads of one clip, beside nginx with `sendfile` on the same bytes in the same run, by turns; the
 *      daemon's own work without downloads is measured before and taken off;
 *   2. memory with 100 clients that read slowly, against that before them;
 *   3. four downloads at full speed: what the recorder lost meanwhile, and how far behind it was.
 *
 * `npm run bench:serving`, about 4 minutes, on 127.0.0.1. Without nginx the first part has no other column.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clipPath, downloadClip } from '../../test/support/clip-client.ts';
import { Daemon } from '../../test/support/daemon.ts';
import { oracleOf, recordingStart } from '../../test/support/recorded.ts';
import { mediaOf } from '../../test/support/test-media.ts';
import { cpuSeconds, residentBytes, sleep } from '../support/process-usage.ts';
import { median, printTable } from '../support/table.ts';

const { values } = parseArgs({
  options: {
    clip: { type: 'string', default: '1080p60' },
    seconds: { type: 'string', default: '60' },
    gb: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    slow: { type: 'string', default: '100' },
  },
});
const media = mediaOf(values.clip);
const slowClients = Number(values.slow);
const slowBytesPerSecond = 64 * 1024;
const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-serving-'));
const failures: string[] = [];
const daemon = await Daemon.start({
  // As a user has it: checking every answer against the description is for tests.
  flags: [...media.flags, '--http-validate-replies', 'false', '--recorder-segment-seconds', '60'],
});
const pid = daemon.process.pid!;

/** Downloads a URL so many times on each of some connections; resolves to bytes and seconds. */
async function download(
  url: string,
  header: string,
  { times, connections }: { times: number; connections: number },
): Promise<{ bytes: number; seconds: number }> {
  const startedMs = performance.now();
  const outputs = await Promise.all(
    Array.from({ length: connections }, async () => {
      const targets = Array.from({ length: times }, () => ['-o', '/dev/null', url]).flat();
      const argv = ['-sS', '-f', '-H', header, '-w', '%{size_download}\n', ...targets];
      const child = spawn('curl', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (piece: Buffer) => {
        text += piece.toString();
      });
      const [status] = (await once(child, 'close')) as [number];
      if (status !== 0) failures.push(`curl ended with ${status}`);
      return text;
    }),
  );
  const bytes = outputs
    .join('')
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  return { bytes, seconds: (performance.now() - startedMs) / 1000 };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

/** nginx on the folder; undefined where there is none. */
async function startNginx(): Promise<{ url: string; child: ChildProcess } | undefined> {
  if (spawnSync('nginx', ['-v']).error) {
    console.log('nginx is missing (apt-get install nginx-light): only the daemon is measured');
    return undefined;
  }
  const port = await freePort();
  const configuration = path.join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; user root; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
     events {}
     http { access_log off; sendfile on; tcp_nopush on; client_body_temp_path ${folder}; proxy_temp_path ${folder};
            fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
            server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', configuration], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}/clip.mp4`;
  for (let i = 0; i < 100; i++) {
    if (
      await fetch(url, { method: 'HEAD' }).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return { url, child };
    await sleep(50);
  }
  throw new Error('nginx does not answer');
}

/** Seconds of CPU a second that the daemon takes without downloads. */
async function idleCpu(): Promise<number> {
  const from = cpuSeconds(pid);
  const startedMs = performance.now();
  await sleep(8000);
  return ((cpuSeconds(pid) - from) * 1000) / (performance.now() - startedMs);
}

async function compare(target: string, lengthBytes: number): Promise<void> {
  const nginx = await startNginx();
  const times = Math.max(1, Math.ceil((Number(values.gb) * 1e9) / lengthBytes));
  const url = new URL(target, daemon.url).href;
  const token = `x-token: ${daemon.token}`;
  const rows: string[][] = [];
  try {
    for (const connections of [1, 4]) {
      const each = { times: Math.ceil(times / connections), connections };
      const ours: number[] = [];
      const theirs: number[] = [];
      const speeds: number[] = [];
      for (let round = 0; round < Number(values.rounds); round++) {
        const idle = await idleCpu();
        const before = cpuSeconds(pid);
        const { bytes, seconds } = await download(url, token, each);
        ours.push(((cpuSeconds(pid) - before - idle * seconds) / bytes) * 1e9);
        speeds.push(bytes / 1e6 / seconds);
        if (!nginx) continue;
        const nginxBefore = cpuSeconds(nginx.child.pid!);
        const their = await download(nginx.url, token, each);
        theirs.push(((cpuSeconds(nginx.child.pid!) - nginxBefore) / their.bytes) * 1e9);
      }
      rows.push([
        `${connections}`,
        median(ours).toFixed(3),
        nginx ? median(theirs).toFixed(3) : '',
        nginx ? (median(ours) / median(theirs)).toFixed(2) : '',
        median(speeds).toFixed(0),
      ]);
    }
  } finally {
    nginx?.child.kill();
  }
  printTable(['connections', 'our CPU s/GB', 'nginx', 'ratio', 'our MB/s'], rows);
}

/** A client that takes some KB a second from a clip. */
function slowClient(target: string): {
  readonly socket: net.Socket;
  received(): number;
  isClosed(): boolean;
} {
  const { hostname, port } = new URL(daemon.url);
  const socket = net.connect(Number(port), hostname);
  let received = 0;
  let closed = false;
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nx-token: ${daemon.token}\r\n\r\n`);
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', piece => {
    received += piece.length;
    socket.pause();
    setTimeout(() => socket.resume(), (piece.length * 1000) / slowBytesPerSecond);
  });
  return { socket, received: () => received, isClosed: () => closed };
}

async function measureSlow(target: string): Promise<void> {
  await sleep(3000);
  const before = residentBytes(pid);
  const clients = Array.from({ length: slowClients }, () => slowClient(target));
  let most = 0;
  for (let i = 0; i < 150; i++) {
    await sleep(100);
    most = Math.max(most, residentBytes(pid));
  }
  const received = clients.reduce((sum, client) => sum + client.received(), 0);
  const closed = clients.filter(client => client.isClosed()).length;
  for (const { socket } of clients) socket.destroy();
  await sleep(5000);
  const after = residentBytes(pid);
  const more = (most - before) / 1e6;
  console.log(
    `${slowClients} slow clients for 15 s: ${(received / 1e6).toFixed(0)} MB sent, ${closed} cut off; memory ` +
      `${(before / 1e6).toFixed(0)} MB, +${more.toFixed(1)} MB at most, +${((after - before) / 1e6).toFixed(1)} MB after`,
  );
  if (more > 20) failures.push(`100 slow clients cost ${more.toFixed(1)} MB`);
  if (closed > 0) failures.push(`${closed} slow clients were cut off`);
}

/** The recorder's counters of what was lost or late, and gauges of how far behind it is. */
async function recorderMetrics(): Promise<Map<string, number>> {
  const text = await (await daemon.fetch('/metrics')).text();
  const lines = [...text.matchAll(/^(opencamera_recorder_\S+) (\S+)$/gm)];
  return new Map(lines.map(([, name, value]) => [name!, Number(value)]));
}

async function measureRecorder(target: string): Promise<void> {
  const url = new URL(target, daemon.url).href;
  const before = await recorderMetrics();
  const startUnixMs = Date.now();
  let bytes = 0;
  while (Date.now() < startUnixMs + 20_000)
    bytes += (await download(url, `x-token: ${daemon.token}`, { times: 3, connections: 4 })).bytes;
  const endUnixMs = Date.now();
  const after = await recorderMetrics();
  await sleep(3000);
  for (const [name, value] of after)
    if (/drop|lost|lap|miss|gap|fail/.test(name) && value !== before.get(name))
      failures.push(`${name} went from ${before.get(name)} to ${value}`);
  const oracle = await oracleOf(daemon, { startUnixMs, endUnixMs }, { media, folder });
  const wanted = ((endUnixMs - startUnixMs) / 1000) * media.framesPerSecond;
  console.log(
    `4 downloads at full speed for ${((endUnixMs - startUnixMs) / 1000).toFixed(1)} s: ` +
      `${(bytes / 1e3 / (endUnixMs - startUnixMs)).toFixed(0)} MB/s; ${oracle.moments.length} pictures recorded of ` +
      `${wanted.toFixed(0)}, ${oracle.jumps.length} jumps; shifted in time: ${oracle.shifts.join(', ') || 'none'}`,
  );
  for (const jump of oracle.jumps.slice(0, 5)) failures.push(`the recording jumps: ${jump}`);
  if (Math.abs(oracle.moments.length - wanted) > 2) failures.push('pictures are missing in the recording');
}

try {
  const startUnixMs = await recordingStart(daemon);
  const endUnixMs = startUnixMs + Number(values.seconds) * 1000;
  console.log(`recording ${values.seconds} s of ${media.name}`);
  await sleep(endUnixMs + 2000 - Date.now());
  const target = clipPath({ startUnixMs, endUnixMs, format: 'mp4', audio: 'flac' });
  const { bytes } = await downloadClip(daemon, target);
  writeFileSync(path.join(folder, 'clip.mp4'), bytes);
  console.log(`the clip has ${(bytes.length / 1e6).toFixed(1)} MB`);
  await compare(target, bytes.length);
  await measureSlow(target);
  await measureRecorder(target);
} finally {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`  ${failure}`);
console.log(failures.length === 0 ? 'no fault' : `${failures.length} faults`);
process.exitCode = failures.length === 0 ? 0 : 1;
