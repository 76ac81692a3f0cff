/**
 * `opencamerad firmware keygen | sign | inspect | verify`: what whoever makes firmware images needs, and what tells an
 * owner what an image is before it is uploaded. Needs no camera and no configuration.
 *
 * Images are read piece by piece, whatever their length. What is written is whole or not there: a private key is made
 * with mode 0600 and never over another file, an image is written beside its name first. docs/FIRMWARE.md has the format.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CameraError } from '../base/errors.ts';
import { payloadBytesMax } from '../firmware/image-format.ts';
import { type ImageHead, ImageReader } from '../firmware/image-reader.ts';
import { keyIdOf, readPublicKey, type TrustedKey } from '../firmware/public-keys.ts';
import { signedHead } from '../firmware/sign-image.ts';

const helpText = `Usage
  opencamerad firmware keygen --out KEY
      make a key pair: KEY (private, keep it off the camera) and KEY.pub
  opencamerad firmware sign PAYLOAD --key KEY --version N.N.N --board BOARD[,BOARD]
                            [--minimum-version N.N.N] --out IMAGE
      make an image of a payload for some boards
  opencamerad firmware inspect IMAGE
      print what an image says of itself, without checking it
  opencamerad firmware verify IMAGE --key KEY.pub [--board BOARD]
      check an image as a camera with that key would

  --minimum-version N.N.N  only cameras of this version or newer take it
                           (default: 0.0.0)

Exit status: 0, 1 when an image is not as it should be or a file cannot be used,
2 for bad usage.
`;

/** Bytes of a key file; a PEM has some hundred. */
const keyFileBytesMax = 16 * 1024;

/** Runs what stands behind the word; resolves to the exit status. Rejects with CameraError. */
export async function firmwareCommand(
  argv: readonly string[],
  write: (text: string) => number,
): Promise<number> {
  const { values, positionals } = parsed(argv);
  const [word, ...rest] = positionals;
  if (values.help || (word === undefined && argv.length === 0)) return write(helpText);
  switch (word) {
    case 'keygen':
      return keygen(only(rest, 0), required(values, ['out']), write);
    case 'sign':
      return sign(
        only(rest, 1),
        required(values, ['key', 'version', 'board', 'out'], ['minimum-version']),
        write,
      );
    case 'inspect':
      return inspect(only(rest, 1), required(values, []), write);
    case 'verify':
      return verify(only(rest, 1), required(values, ['key'], ['board']), write);
    default:
      throw usage(`there is no command firmware ${JSON.stringify(word ?? '')}`);
  }
}

type Values = Readonly<Record<string, string>>;
type Write = (text: string) => number;

function keygen(_: readonly string[], { out }: Values, write: Write): number {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const made = { flag: 'wx', mode: 0o600 } as const;
  attempt(`${out} cannot be made`, () => writeFileSync(out!, pemOf(privateKey, 'pkcs8'), made));
  attempt(`${out}.pub cannot be made`, () =>
    writeFileSync(`${out}.pub`, pemOf(publicKey, 'spki'), { flag: 'wx', mode: 0o644 }),
  );
  return write(`key ${keyIdOf(publicKey)}: sign with ${out}, give ${out}.pub to cameras\n`);
}

async function sign([payload]: readonly string[], values: Values, write: Write): Promise<number> {
  const privateKey = readPrivateKey(values.key!);
  const { bytes, sha256 } = await digestOf(payload!);
  const head = signedHead(
    {
      version: values.version!,
      boards: values.board!.split(','),
      minimumVersion: values['minimum-version'] ?? '0.0.0',
      payloadBytes: bytes,
      payloadSha256: sha256,
    },
    privateKey,
  );
  const out = values.out!;
  const beside = `${out}.part`;
  try {
    const file = await open(beside, 'wx', 0o644);
    try {
      await writeImage(file, head, payload!, { bytes, sha256 });
    } finally {
      await file.close();
    }
    await rename(beside, out);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    if (error instanceof CameraError) throw error;
    throw failed(`${out} cannot be written`, error);
  }
  return write(`${out}: version ${values.version} for ${values.board}, ${head.length + bytes} bytes\n`);
}

/** The payload must still be the one that was signed when it is copied. */
async function writeImage(
  file: FileHandle,
  head: Uint8Array,
  payload: string,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  await file.write(head);
  for await (const chunk of createReadStream(payload) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  }
  if (bytes !== expected.bytes || hash.digest('hex') !== expected.sha256)
    throw new CameraError('state-failed', `${payload} was changed meanwhile`);
  await file.sync();
}

async function inspect([image]: readonly string[], _: Values, write: Write): Promise<number> {
  const { manifest, keyId } = await readImage(image!, undefined);
  return write(`${JSON.stringify({ ...manifest, keyId, signature: 'not checked' }, null, 2)}\n`);
}

async function verify([image]: readonly string[], { key, board }: Values, write: Write): Promise<number> {
  const { manifest, keyId } = await readImage(image!, [readTrusted(key!)], ({ manifest: { boards } }) => {
    if (board !== undefined && !boards.includes(board))
      throw new CameraError(
        'firmware-board-mismatch',
        `the image is for ${boards.join(', ')}, not for ${board}`,
      );
  });
  const { version, boards } = manifest;
  return write(`good: version ${version} for ${boards.join(', ')}, signed by ${keyId}\n`);
}

/** Reads a whole image. */
async function readImage(
  file: string,
  trustedKeys: readonly TrustedKey[] | undefined,
  check: (head: ImageHead) => void = () => undefined,
): Promise<ImageHead> {
  let head: ImageHead | undefined;
  const reader = new ImageReader({
    trustedKeys,
    onHead(found) {
      check(found);
      head = found;
    },
    onPayload: () => undefined,
  });
  await eachPiece(file, piece => reader.push(piece));
  reader.finish();
  return head!;
}

async function digestOf(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await eachPiece(file, piece => {
    hash.update(piece);
    bytes += piece.length;
  });
  if (bytes === 0 || bytes > payloadBytesMax)
    throw new CameraError('firmware-malformed', `a payload has 1 to ${payloadBytesMax} bytes, not ${bytes}`);
  return { bytes, sha256: hash.digest('hex') };
}

async function eachPiece(file: string, take: (piece: Uint8Array) => void): Promise<void> {
  try {
    for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) take(piece);
  } catch (error) {
    if (error instanceof CameraError) throw error;
    throw failed(`${file} cannot be read`, error);
  }
}

function readPrivateKey(file: string): KeyObject {
  const text = keyText(file);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw new CameraError('firmware-key-invalid', `${file} holds no private key in PEM form`, {}, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new CameraError('firmware-key-invalid', `the key in ${file} is not one of Ed25519`);
  return key;
}

function readTrusted(file: string): TrustedKey {
  const text = keyText(file);
  if (/PRIVATE KEY/.test(text))
    throw new CameraError('firmware-key-invalid', `${file} is a private key; name its .pub`);
  return readPublicKey(text);
}

function keyText(file: string): string {
  const text = attempt(`${file} cannot be read`, () => readFileSync(file, 'utf8'));
  if (text.length > keyFileBytesMax) throw new CameraError('firmware-key-invalid', `${file} is no key`);
  return text;
}

function pemOf(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ format: 'pem', type: type as 'pkcs8' }) as string;
}

function attempt<T>(what: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw failed(what, error);
  }
}

function failed(what: string, cause: unknown): CameraError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CameraError('state-failed', `${what}: ${reason}`, {}, { cause });
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        out: { type: 'string' },
        key: { type: 'string' },
        version: { type: 'string' },
        board: { type: 'string' },
        'minimum-version': { type: 'string' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw usage((error as Error).message.split('\n')[0]!);
  }
}

/** The named options, all of them and no others but those that may be left out. */
function required(
  values: Readonly<Record<string, string | boolean | undefined>>,
  names: readonly string[],
  optional: readonly string[] = [],
): Values {
  for (const name of Object.keys(values))
    if (!names.includes(name) && !optional.includes(name))
      throw usage(`--${name} does not belong to this command`);
  for (const name of names) if (!values[name]) throw usage(`--${name} is missing`);
  return values as Values;
}

function only(files: readonly string[], count: number): readonly string[] {
  if (files.length !== count) throw usage(count === 0 ? 'this command takes no file' : 'name one file');
  return files;
}

function usage(message: string): CameraError {
  return new CameraError('usage-invalid', `${message}; try opencamerad firmware --help`);
}
