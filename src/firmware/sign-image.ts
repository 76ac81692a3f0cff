/** Makes the head of a firmware image; what comes behind it is the payload, as it is. */
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { imageHeadBytes, imageMagic, preambleBytes, signaturePrefix } from './image-format.ts';
import { encodeManifest, type FirmwareManifest } from './manifest.ts';
import { keyIdOf } from './public-keys.ts';

/** Magic to manifest. Throws `firmware-malformed` for a manifest that cannot be. */
export function signedHead(manifest: FirmwareManifest, privateKey: KeyObject): Uint8Array {
  const text = encodeManifest(manifest);
  const head = Buffer.alloc(imageHeadBytes + text.length);
  head.set(imageMagic, 0);
  head.writeUInt32BE(text.length, imageMagic.length);
  head.set(Buffer.from(keyIdOf(createPublicKey(privateKey)), 'hex'), imageMagic.length + 4);
  head.set(text, imageHeadBytes);
  head.set(sign(null, signedBytes(head), privateKey), preambleBytes);
  return head;
}

/** What the signature is made of; from the head of an image, signature or not. */
export function signedBytes(head: Uint8Array): Uint8Array {
  return Buffer.concat([signaturePrefix, head.subarray(0, preambleBytes), head.subarray(imageHeadBytes)]);
}
