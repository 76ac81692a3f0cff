/** Downloads clips as a careful client does: whole, or in pieces, and every answer is looked at. */
import type { Daemon } from './daemon.ts';
import type { ClipExpectation } from './recording-oracle.ts';

/** Path and query of a clip. */
export function clipPath({ startUnixMs, endUnixMs, format, audio }: ClipExpectation): string {
  const query = new URLSearchParams();
  if (format !== 'mp4') query.set('format', format);
  if (audio !== 'flac') query.set('audio', audio);
  const text = query.size > 0 ? `?${query}` : '';
  return `/api/v1/media/vod/${Math.round(startUnixMs)}/${Math.round(endUnixMs)}${text}`;
}

/** What is read of a manifest. */
export interface Manifest {
  readonly start: string;
  readonly end: string;
  readonly duration: number;
  readonly gaps: readonly { readonly start: string; readonly end: string }[];
  readonly video_codec: string;
  readonly resolution: string;
  readonly audio_codec: string | null;
  readonly fragments: number;
  readonly length_bytes: number;
  readonly etag: string;
  readonly url: string;
  readonly left_out: readonly unknown[];
}

/** The manifest of a clip. */
export async function manifestOf(daemon: Daemon, path: string): Promise<Manifest> {
  const response = await daemon.fetch(path, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`manifest: ${response.status} ${await response.text()}`);
  return (await response.json()) as Manifest;
}

/** A whole clip. */
export interface DownloadedClip {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly firstByteMs: number;
  readonly ms: number;
}

/** Downloads a clip; throws when the answer is other than 200, or its length other than its header says. */
export async function downloadClip(daemon: Daemon, path: string): Promise<DownloadedClip> {
  const startedMs = performance.now();
  const response = await daemon.fetch(path);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  const pieces: Uint8Array[] = [];
  let firstByteMs = 0;
  for await (const piece of response.body!) {
    firstByteMs ||= performance.now() - startedMs;
    pieces.push(piece as Uint8Array);
  }
  const bytes = Buffer.concat(pieces);
  const said = response.headers.get('content-length');
  if (said !== String(bytes.length)) throw new Error(`Content-Length ${said}, ${bytes.length} bytes came`);
  if (response.headers.get('accept-ranges') !== 'bytes') throw new Error('no Accept-Ranges');
  const etag = response.headers.get('etag');
  if (!etag || etag.startsWith('W/')) throw new Error(`entity tag ${etag}`);
  return { bytes, etag, firstByteMs, ms: performance.now() - startedMs };
}

/** One range of a clip, both ends within. */
export async function downloadPart(
  daemon: Daemon,
  path: string,
  { from, to }: { readonly from: number; readonly to: number },
  whole: { readonly lengthBytes: number; readonly etag: string },
): Promise<Buffer> {
  const headers = { range: `bytes=${from}-${to}`, 'if-range': whole.etag };
  const response = await daemon.fetch(path, { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const range = response.headers.get('content-range');
  if (response.status !== 206 || range !== `bytes ${from}-${to}/${whole.lengthBytes}`)
    throw new Error(`bytes ${from}-${to}: ${response.status}, Content-Range ${range}`);
  if (bytes.length !== to - from + 1) throw new Error(`bytes ${from}-${to}: ${bytes.length} came`);
  if (response.headers.get('etag') !== whole.etag) throw new Error('another entity tag in 206');
  return bytes;
}

/** Puts a clip together from random pieces that are asked for in random order. */
export async function assembleClip(
  daemon: Daemon,
  path: string,
  whole: { readonly lengthBytes: number; readonly etag: string },
): Promise<Buffer> {
  const cuts = Array.from({ length: 2 + Math.floor(Math.random() * 12) }, () =>
    Math.floor(Math.random() * whole.lengthBytes),
  );
  const edges = [...new Set([0, ...cuts, whole.lengthBytes])].sort((a, b) => a - b);
  const parts = edges.slice(1).map((to, i) => ({ from: edges[i]!, to: to - 1, order: Math.random() }));
  const bytes = Buffer.alloc(whole.lengthBytes);
  for (const part of parts.sort((a, b) => a.order - b.order))
    bytes.set(await downloadPart(daemon, path, part, whole), part.from);
  return bytes;
}
