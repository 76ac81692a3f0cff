/**
 * Reads the one file of a form (multipart/form-data, RFC 7578) while it comes, with constant memory.
 *
 * The parser is the library's (@fastify/busboy); what it lets pass is refused here: another part beside the file, a file
 * under another name or without a file name, an encoding of the content, a long head, a form without an end, and ways of
 * writing the boundary that two readers could read differently. Main thread.
 */

import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { BodyStream } from './body-stream.ts';
import { formHeadBytesMax } from './limits.ts';
import { RequestFault } from './problems.ts';

/** RFC 2046 §5.1.1, without the characters that would have to be quoted. */
const boundaryForm =
  /^multipart\/form-data[ \t]*(?:;(?![ \t]*boundary)[^;]*)*;[ \t]*boundary=([0-9A-Za-z'+_.-]{1,70})[ \t]*$/i;

/** RFC 7578 §4.7 has these alone; others would change the bytes. */
const plainEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

/** Bytes of the head that are given to the parser at once. */
const headStepBytes = 1024;

/**
 * Hands the bytes of the file on, piece by piece, each borrowed until the promise is settled.
 *
 * Resolves when the form is over and had nothing else in it. Rejects with RequestFault `form-invalid`, or with what the
 * body or `take` reject with; then no more is read.
 */
export async function readFormFile(
  contentType: string,
  body: BodyStream,
  fileName: string,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const boundary = boundaryForm.exec(contentType)?.[1];
  if (boundary === undefined) throw invalid('the boundary');
  const parser = new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    limits: { fields: 1, fieldSize: 1024, files: 1, parts: 1, headerPairs: 16, headerSize: formHeadBytesMax },
  });
  let reading: Promise<void> | undefined;
  const file = new FileBytes(take);
  const faults = new Promise<never>((_, reject) => {
    const refuse = (what: string) => () => reject(invalid(what));
    parser.on('error', refuse('its end'));
    parser.on('field', refuse('the part'));
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const)
      parser.on(limit, refuse('the number of parts'));
    parser.on('file', (name, stream, filename, encoding) => {
      reading = file.takeAll(stream);
      reading.catch(reject);
      if (name !== fileName) refuse('the name of the part')();
      else if (typeof filename !== 'string' || filename === '') refuse('the file name')();
      else if (!plainEncodings.has(encoding)) refuse('the encoding of the part')();
    });
  });
  const feed = async (): Promise<void> => {
    const finished = new Promise<void>(resolve => parser.once('finish', resolve));
    let headBytes = 0;
    for (let piece = await body.next(); piece; piece = await body.next())
      for (let at = 0; at < piece.length; ) {
        // A head is read in small steps, so that one that is too long is seen before it is read to its end.
        const step = reading ? piece.subarray(at) : piece.subarray(at, at + headStepBytes);
        at += step.length;
        await new Promise<void>(resolve => parser.write(step, () => resolve()));
        // The memory of the piece is the body's again with the next one.
        await file.taken();
        if (reading) continue;
        headBytes += step.length;
        if (headBytes >= formHeadBytesMax) throw invalid('the head of the part');
      }
    parser.end();
    await finished;
    if (!reading) throw invalid('the part');
    await reading;
  };
  try {
    await Promise.race([faults, feed()]);
  } finally {
    parser.destroy();
  }
}

/** Hands the bytes of the file on, and knows when all that the parser has found so far were taken. */
class FileBytes {
  private readonly take: (bytes: Uint8Array) => Promise<void>;
  private stream: BusboyFileStream | undefined;
  private takenBytes = 0;
  private isFailed = false;
  private wake: (() => void) | undefined;

  constructor(take: (bytes: Uint8Array) => Promise<void>) {
    this.take = take;
  }

  async takeAll(stream: BusboyFileStream): Promise<void> {
    this.stream = stream;
    try {
      for await (const bytes of stream as AsyncIterable<Uint8Array>) {
        await this.take(bytes);
        this.takenBytes += bytes.length;
        this.wake?.();
      }
    } catch (error) {
      this.isFailed = true;
      this.wake?.();
      throw error;
    }
  }

  /** Resolves when nothing waits, or nothing is taken any more. */
  async taken(): Promise<void> {
    while (this.stream && !this.isFailed && this.takenBytes < this.stream.bytesRead)
      await new Promise<void>(resolve => {
        this.wake = resolve;
      });
  }
}

function invalid(fault: string): RequestFault {
  return new RequestFault('form-invalid', { fault });
}
