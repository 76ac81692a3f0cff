/** The one form of archive that payloads have; everything else that is called tar is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTar, type TarSink } from '../../src/firmware/tar-reader.ts';
import { type TarHeader, tarEnd, tarFile, tarHeader, tarOf } from './tar-of.ts';

/** What a sink was told, as lines. */
async function read(pieces: Iterable<Uint8Array>, bytesMax = 1e6): Promise<string[]> {
  const lines: string[] = [];
  const sink: TarSink = {
    folder: async path => void lines.push(`${path}/`),
    file: async (path, bytes, isExecutable) =>
      void lines.push(`${path} ${bytes}${isExecutable ? ' x' : ''}: `),
    data: async bytes => {
      lines.push(lines.pop()! + Buffer.from(bytes).toString('latin1'));
    },
    fileEnd: async () => void lines.push('end'),
  };
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  await readTar(source(), sink, { bytesMax });
  return lines;
}

const folder = (name: string): Buffer => tarHeader({ name, type: '5', mode: '0000755\0' });

test('folders and files come in their order, with length, content and the right to be run', async () => {
  const archive = Buffer.concat([
    folder('bin/'),
    tarFile('bin/run', 'echo', { mode: '0000755\0' }),
    tarFile('empty', ''),
    tarFile('block', 'x'.repeat(512)),
    tarEnd,
  ]);
  assert.deepEqual(await read([archive]), [
    'bin/',
    'bin/run 4 x: echo',
    'end',
    'empty 0: ',
    'end',
    `block 512: ${'x'.repeat(512)}`,
    'end',
  ]);
});

test('a long name is put together from its two fields', async () => {
  const archive = Buffer.concat([tarFile('name', 'x', { prefix: 'a/b' }), tarEnd]);
  assert.deepEqual(await read([archive]), ['a/b/name 1: x', 'end']);
});

test('the bytes may come in any pieces', async () => {
  const archive = tarOf({ 'a/b': 'hello', c: 'y'.repeat(1025), d: '' });
  const expected = await read([archive]);
  for (const size of [1, 7, 511, 512, 513, 1000])
    assert.deepEqual(
      await read(
        Array.from({ length: Math.ceil(archive.length / size) }, (_, i) =>
          archive.subarray(i * size, i * size + size),
        ),
      ),
      expected,
    );
});

const header = (changes: Partial<TarHeader>): Buffer =>
  Buffer.concat([tarHeader({ name: 'a', ...changes }), tarEnd]);
const dirtyPadding = tarOf({ a: 'x' });
dirtyPadding[1000] = 1;
const bad: Readonly<Record<string, Buffer>> = {
  'a hard link': header({ type: '1', link: '/etc/passwd' }),
  'a symbolic link': header({ type: '2', link: '../../x' }),
  'a link field on a file': header({ link: 'b' }),
  'a character device': header({ type: '3' }),
  'a block device': header({ type: '4' }),
  'a fifo': header({ type: '6' }),
  'a contiguous file': header({ type: '7' }),
  'a pax header': header({ type: 'x' }),
  'a global pax header': header({ type: 'g' }),
  "GNU's long name": header({ type: 'L' }),
  "GNU's sparse file": header({ type: 'S' }),
  'the type of before POSIX': header({ type: '\0' }),
  "GNU's magic": header({ magic: 'ustar  \0' }),
  'no magic': header({ magic: '' }),
  'an absolute name': header({ name: '/etc/passwd' }),
  'a name that leads up': header({ name: '../x' }),
  'a name that leads up inside': header({ name: 'a/../../x' }),
  'a name that leads up from its prefix': header({ name: 'x', prefix: '..' }),
  'an absolute prefix': header({ name: 'x', prefix: '/etc' }),
  'a name with a dot': header({ name: './a' }),
  'an empty segment': header({ name: 'a//b' }),
  'a file that ends in a slash': header({ name: 'a/' }),
  'an empty name': header({ name: '' }),
  'a backslash': header({ name: 'a\\b' }),
  'a control character': header({ name: 'a\nb' }),
  'a name beyond ASCII': header({ name: 'a\u00e9' }),
  'a space at the end of a name': header({ name: 'a ' }),
  'a tail behind the name': header({ name: 'a\0b' }),
  'a folder with a content': header({ type: '5', size: '00000000001\0' }),
  'a length that is no octal number': header({ size: '0000000000g\0' }),
  'a length in base 256': header({ size: `\x80${'\0'.repeat(10)}\x01` }),
  'an empty length': header({ size: '\0'.repeat(12) }),
  'a wrong checksum': header({ checksum: '000001\0 ' }),
  'a name twice': Buffer.concat([tarFile('a', 'x'), tarFile('a', 'y'), tarEnd]),
  'a file where a folder was': Buffer.concat([folder('a/'), tarFile('a', 'y'), tarEnd]),
  'padding that is not empty': dirtyPadding,
  'nothing at all': Buffer.alloc(0),
  'no end': tarFile('a', 'x'),
  'half an end': Buffer.concat([tarFile('a', 'x'), Buffer.alloc(512)]),
  'half a header': tarFile('a', 'x').subarray(0, 300),
  'half a file': tarFile('a', 'x'.repeat(600)).subarray(0, 800),
  'something behind the end': Buffer.concat([tarOf({ a: 'x' }), tarFile('b', 'x')]),
  'bytes behind the end': Buffer.concat([tarOf({ a: 'x' }), Buffer.from('x')]),
  'zeros that are no block': Buffer.concat([tarOf({ a: 'x' }), Buffer.alloc(100)]),
};
for (const [name, archive] of Object.entries(bad))
  test(`an archive with ${name} is malformed`, async () => {
    await assert.rejects(read([archive]), { code: 'firmware-malformed' });
  });

test('what would unpack to more than there is room for is refused by its header', async () => {
  const huge = tarHeader({ name: 'a', size: '77777777777\0' });
  await assert.rejects(read([huge]), { code: 'firmware-no-room' });
  await assert.rejects(read([Buffer.concat([tarFile('a', 'xxxx'), tarFile('b', 'xxxx'), tarEnd])], 7), {
    code: 'firmware-no-room',
  });
});

test('more files than any camera has are malformed', async () => {
  const many = function* (): Generator<Uint8Array> {
    for (let i = 0; i <= 20_000; i++) yield tarHeader({ name: `f${i}` });
    yield tarEnd;
  };
  await assert.rejects(read(many()), { code: 'firmware-malformed' });
});

test('what the sink throws ends the reading', async () => {
  const sink = {
    folder: () => Promise.reject(new Error('disk')),
    file: () => Promise.reject(new Error('disk')),
  } as unknown as TarSink;
  async function* source(): AsyncGenerator<Uint8Array> {
    yield tarOf({ a: 'x' });
  }
  await assert.rejects(readTar(source(), sink), /disk/);
});
