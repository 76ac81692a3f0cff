/**
 * Reads a firmware image piece by piece, in any pieces, with constant memory: what is in front of the payload is
 * collected and checked whole, then the payload goes by while it is counted and hashed.
 *
 * Order of the checks: layout, a key that is trusted, its signature, the manifest; then the caller's own (board, versions)
 * in `onManifest`; only then a byte of the payload is handed on. Nothing here writes anything; any thread.
 */
import { createHash, verify } from 'node:crypto';
import { CameraError } from '../base/errors.ts';
import {
  imageHeadBytes,
  imageMagic,
  keyIdBytes,
  manifestBytesMax,
  preambleBytes,
  signatureBytes,
} from './image-format.ts';
import { decodeManifest, type FirmwareManifest } from './manifest.ts';
import type { TrustedKey } from './public-keys.ts';
import { signedBytes } from './sign-image.ts';

/** What a head says, and who signed it. */
export interface ImageHead {
  readonly manifest: FirmwareManifest;
  readonly keyId: string;
  /** Whether a trusted key signed it; false is seen only by readers without keys. */
  readonly isTrusted: boolean;
}

export interface ImageReaderOptions {
  /** Undefined: the signature is not looked at, for tools that show what an image says it is. */
  readonly trustedKeys: readonly TrustedKey[] | undefined;
  /** Called once, before any of the payload; what it throws ends the reading. */
  onHead(head: ImageHead): void;
  /** The next bytes of the payload, at least one; borrowed until it returns. */
  onPayload(bytes: Uint8Array): void;
}

/** One image. After an error it is good for nothing more. */
export class ImageReader {
  private readonly options: ImageReaderOptions;
  private readonly head = Buffer.alloc(imageHeadBytes + manifestBytesMax);
  private headFilled = 0;
  /** Known once the length of the manifest is. */
  private headLength = imageHeadBytes;
  private manifest: FirmwareManifest | undefined;
  private readonly hash = createHash('sha256');
  private payloadSeen = 0;

  constructor(options: ImageReaderOptions) {
    this.options = options;
  }

  /** How long the whole image is; undefined until its head is read. */
  get lengthBytes(): number | undefined {
    return this.manifest && this.headLength + this.manifest.payloadBytes;
  }

  /**
   * Takes the next bytes of the image. Throws CameraError `firmware-malformed`, `firmware-untrusted`,
   * `firmware-signature-invalid`, `firmware-too-long`, or what the callbacks throw.
   */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (!this.manifest && at < bytes.length) {
      const count = Math.min(bytes.length - at, this.headLength - this.headFilled);
      this.head.set(bytes.subarray(at, at + count), this.headFilled);
      this.headFilled += count;
      at += count;
      this.lookAtHead();
    }
    if (at === bytes.length) return;
    const rest = bytes.subarray(at);
    if (this.payloadSeen + rest.length > this.manifest!.payloadBytes)
      throw new CameraError('firmware-too-long', 'the image is longer than it says');
    this.payloadSeen += rest.length;
    this.hash.update(rest);
    this.options.onPayload(rest);
  }

  /** There is no more. Throws CameraError `firmware-truncated` or `firmware-corrupt` unless the payload is whole and right. */
  finish(): void {
    if (!this.manifest || this.payloadSeen < this.manifest.payloadBytes)
      throw new CameraError('firmware-truncated', 'the image is shorter than it should be');
    if (this.hash.digest('hex') !== this.manifest.payloadSha256)
      throw new CameraError('firmware-corrupt', 'the payload is not the one that was signed');
  }

  /** Checks what is known so far, so that a wrong file is refused by its first bytes. */
  private lookAtHead(): void {
    const { head, headFilled } = this;
    const known = Math.min(headFilled, imageMagic.length);
    if (imageMagic.some((byte, i) => i < known && byte !== head[i]))
      throw new CameraError('firmware-malformed', 'the file is no firmware image of this camera');
    if (headFilled === imageHeadBytes && this.headLength === imageHeadBytes) {
      const manifestBytes = head.readUInt32BE(imageMagic.length);
      if (manifestBytes === 0 || manifestBytes > manifestBytesMax)
        throw new CameraError('firmware-malformed', 'the manifest is too long, or missing', {
          manifestBytes,
        });
      this.headLength = imageHeadBytes + manifestBytes;
    }
    if (headFilled < this.headLength || this.headLength === imageHeadBytes) return;
    const whole = head.subarray(0, this.headLength);
    const keyId = whole.toString('hex', preambleBytes - keyIdBytes, preambleBytes);
    const isTrusted = this.checkSignature(whole, keyId);
    const manifest = decodeManifest(whole.subarray(imageHeadBytes));
    this.options.onHead({ manifest, keyId, isTrusted });
    this.manifest = manifest;
  }

  private checkSignature(head: Uint8Array, keyId: string): boolean {
    const { trustedKeys } = this.options;
    if (!trustedKeys) return false;
    const trusted = trustedKeys.find(({ id }) => id === keyId);
    if (!trusted) throw new CameraError('firmware-untrusted', 'the image is signed by no trusted key');
    const signature = head.subarray(preambleBytes, preambleBytes + signatureBytes);
    if (!verify(null, signedBytes(head), trusted.key, signature))
      throw new CameraError('firmware-signature-invalid', 'the signature of the image is wrong');
    return true;
  }
}
