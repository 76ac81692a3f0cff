/**
 * The manifest of a firmware image: what it is, for whom, and what its payload must be. Pure.
 *
 * There is one text for each manifest: members in one order, no white space, lower-case hexadecimal. Another text is
 * refused, and with it names that come twice, members that nobody knows, and every way of writing the same value
 * differently; so two readers can never understand one signed text in two ways.
 */
import { CameraError } from '../base/errors.ts';
import { manifestBytesMax, payloadBytesMax } from './image-format.ts';
import { isVersion } from './version.ts';

export interface FirmwareManifest {
  /** Of the camera software in the payload. */
  readonly version: string;
  /** Names of boards that it runs on; 1 to 100, none twice. */
  readonly boards: readonly string[];
  /** Only cameras of this version or a newer one can take it. */
  readonly minimumVersion: string;
  readonly payloadBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly payloadSha256: string;
}

const boardForm = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const boardsMax = 100;
const sha256Form = /^[0-9a-f]{64}$/;

/** Its one text. Throws `firmware-malformed` for a manifest that cannot be. */
export function encodeManifest(manifest: FirmwareManifest): Uint8Array {
  const { version, boards, minimumVersion, payloadBytes, payloadSha256 } = manifest;
  const isWhole =
    isVersion(version) &&
    isVersion(minimumVersion) &&
    boards.length >= 1 &&
    boards.length <= boardsMax &&
    new Set(boards).size === boards.length &&
    boards.every(board => boardForm.test(board)) &&
    Number.isInteger(payloadBytes) &&
    payloadBytes >= 1 &&
    payloadBytes <= payloadBytesMax &&
    sha256Form.test(payloadSha256);
  if (!isWhole) throw malformed();
  const text = JSON.stringify({ version, boards, minimumVersion, payloadBytes, payloadSha256 });
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > manifestBytesMax) throw malformed();
  return bytes;
}

/** Reads one; throws `firmware-malformed` for every text that {@link encodeManifest} does not give. */
export function decodeManifest(bytes: Uint8Array): FirmwareManifest {
  let value: Partial<FirmwareManifest> | null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw malformed();
  }
  if (typeof value !== 'object' || value === null) throw malformed();
  const { version, boards, minimumVersion, payloadBytes, payloadSha256 } = value;
  const hasTypes =
    typeof version === 'string' &&
    typeof minimumVersion === 'string' &&
    typeof payloadSha256 === 'string' &&
    typeof payloadBytes === 'number' &&
    Array.isArray(boards) &&
    boards.every(board => typeof board === 'string');
  if (!hasTypes) throw malformed();
  const manifest = { version, boards, minimumVersion, payloadBytes, payloadSha256 };
  const canonical = encodeManifest(manifest);
  if (canonical.length !== bytes.length || canonical.some((byte, i) => byte !== bytes[i])) throw malformed();
  return manifest;
}

function malformed(): CameraError {
  return new CameraError('firmware-malformed', 'the manifest is not in its one form');
}
