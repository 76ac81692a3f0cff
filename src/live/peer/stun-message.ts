/**
 * STUN messages as ICE and TURN use them: RFC 8489 (format, MESSAGE-INTEGRITY, FINGERPRINT), RFC 8445 §7.1 (PRIORITY,
 * USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING) and the attributes of RFC 8656.
 *
 * Reading copies nothing: the message keeps offsets into the datagram, and integrity is checked when somebody knows
 * the key. Every length is checked once. Left out: SHA-256 integrity, which ICE checks do not use and TURN servers do
 * not ask for. Live thread.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { crc32 } from 'node:zlib';
import { canonicalAddress } from '../../config/addresses.ts';

/** Message types of the method Binding; those of other methods are the same bits with the method's number. */
export const StunType = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;

export const StunAttribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

const headerBytes = 20;
/** RFC 8489 §5. */
export const magicCookie = 0x2112a442;
const integrityBytes = 20;
const fingerprintXor = 0x5354554e;
/** Attributes of one message that are looked at; ICE uses eight. */
const attributesMax = 24;

/** A STUN message that was received; borrows the datagram. */
export class StunMessage {
  readonly type: number;
  /** 12 bytes as hex, for use as a key. */
  readonly transactionId: string;
  private readonly bytes: Buffer;
  /** Attribute type → offset of its value; only the first of a type counts (RFC 8489 §14). */
  private readonly offsets: ReadonlyMap<number, number>;

  constructor(bytes: Buffer, offsets: ReadonlyMap<number, number>) {
    this.type = bytes.readUInt16BE(0);
    this.transactionId = bytes.toString('hex', 8, headerBytes);
    this.bytes = bytes;
    this.offsets = offsets;
  }

  has(attribute: number): boolean {
    return this.offsets.has(attribute);
  }

  /** The value of an attribute; a view of the datagram. */
  value(attribute: number): Buffer | undefined {
    const offset = this.offsets.get(attribute);
    if (offset === undefined) return undefined;
    return this.bytes.subarray(offset, offset + this.bytes.readUInt16BE(offset - 2));
  }

  text(attribute: number): string | undefined {
    return this.value(attribute)?.toString('latin1');
  }

  /** A 32-bit attribute, or undefined when it is missing or has another length. */
  uint32(attribute: number): number | undefined {
    const value = this.value(attribute);
    return value?.length === 4 ? value.readUInt32BE(0) : undefined;
  }

  /** A 64-bit attribute. */
  uint64(attribute: number): bigint | undefined {
    const value = this.value(attribute);
    return value?.length === 8 ? value.readBigUInt64BE(0) : undefined;
  }

  /** Class and number of ERROR-CODE, for example 487. */
  get errorCode(): number | undefined {
    const value = this.value(StunAttribute.errorCode);
    return value && value.length >= 4 ? (value[2]! & 7) * 100 + value[3]! : undefined;
  }

  get mappedAddress(): { readonly address: string; readonly port: number } | undefined {
    return this.address(StunAttribute.xorMappedAddress);
  }

  /** An address attribute of the form of XOR-MAPPED-ADDRESS, in canonical form. */
  address(attribute: number): { readonly address: string; readonly port: number } | undefined {
    const value = this.value(attribute);
    if (!value || value.length < 8) return undefined;
    const port = value.readUInt16BE(2) ^ (magicCookie >>> 16);
    const mask = this.bytes.subarray(4, headerBytes);
    const length = value[1] === 1 ? 4 : 16;
    if (value.length !== 4 + length) return undefined;
    const address = Buffer.from(value.subarray(4).map((byte, i) => byte ^ mask[i]!));
    if (length === 4) return { address: address.join('.'), port };
    const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
    return { address: canonicalAddress(groups.join(':')), port };
  }

  /** Whether MESSAGE-INTEGRITY is there and was made with this password or key (RFC 8489 §14.5). */
  isAuthentic(password: string | Buffer): boolean {
    const received = this.value(StunAttribute.messageIntegrity);
    if (received?.length !== integrityBytes) return false;
    const end = this.offsets.get(StunAttribute.messageIntegrity)! - 4;
    const expected = integrityOf(this.bytes.subarray(0, end), password);
    return timingSafeEqual(expected, received);
  }
}

/**
 * Reads a datagram; undefined when it is not a well-formed STUN message or its FINGERPRINT is wrong. Attributes behind
 * MESSAGE-INTEGRITY other than FINGERPRINT are ignored (RFC 8489 §14.5).
 */
export function readStunMessage(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < headerBytes || bytes[0]! > 3 || bytes.readUInt32BE(4) !== magicCookie) return undefined;
  if (bytes.readUInt16BE(2) !== bytes.length - headerBytes || bytes.length % 4 !== 0) return undefined;
  const offsets = new Map<number, number>();
  let isSigned = false;
  let attributes = 0;
  for (let at = headerBytes; at < bytes.length; ) {
    if (at + 4 > bytes.length || ++attributes > attributesMax) return undefined;
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    const next = at + 4 + ((length + 3) & ~3);
    if (next > bytes.length) return undefined;
    if (type === StunAttribute.fingerprint) {
      if (length !== 4 || next !== bytes.length) return undefined;
      if (bytes.readUInt32BE(at + 4) !== fingerprintOf(bytes.subarray(0, at))) return undefined;
      offsets.set(type, at + 4);
    } else if (!isSigned && !offsets.has(type)) {
      offsets.set(type, at + 4);
      isSigned = type === StunAttribute.messageIntegrity;
    }
    at = next;
  }
  return new StunMessage(bytes, offsets);
}

/** Builds a message attribute by attribute; `finish` signs it and adds the fingerprint. */
export class StunWriter {
  private readonly parts: Buffer[] = [];
  private readonly header = Buffer.alloc(headerBytes);

  /** @param transactionId 12 bytes as hex. */
  constructor(type: number, transactionId: string) {
    this.header.writeUInt16BE(type, 0);
    this.header.writeUInt32BE(magicCookie, 4);
    this.header.write(transactionId, 8, 'hex');
  }

  bytes(attribute: number, value: Buffer): this {
    const part = Buffer.alloc(4 + ((value.length + 3) & ~3));
    part.writeUInt16BE(attribute, 0);
    part.writeUInt16BE(value.length, 2);
    value.copy(part, 4);
    this.parts.push(part);
    return this;
  }

  text(attribute: number, value: string): this {
    return this.bytes(attribute, Buffer.from(value, 'latin1'));
  }

  flag(attribute: number): this {
    return this.bytes(attribute, Buffer.alloc(0));
  }

  uint32(attribute: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return this.bytes(attribute, bytes);
  }

  uint64(attribute: number, value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return this.bytes(attribute, bytes);
  }

  /** ERROR-CODE with its reason phrase. */
  error(code: number, reason: string): this {
    const value = Buffer.concat([
      Buffer.from([0, 0, Math.trunc(code / 100), code % 100]),
      Buffer.from(reason),
    ]);
    return this.bytes(StunAttribute.errorCode, value);
  }

  /** XOR-MAPPED-ADDRESS, or another attribute of its form, of an IP address. */
  mappedAddress(address: string, port: number, attribute: number = StunAttribute.xorMappedAddress): this {
    const plain = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
    const mask = this.header.subarray(4);
    const value = Buffer.alloc(4 + plain.length);
    value[1] = plain.length === 4 ? 1 : 2;
    value.writeUInt16BE(port ^ (magicCookie >>> 16), 2);
    for (let i = 0; i < plain.length; i++) value[4 + i] = plain[i]! ^ mask[i]!;
    return this.bytes(attribute, value);
  }

  /** The whole message, signed with the password or key if one is given, with its fingerprint. */
  finish(password?: string | Buffer): Buffer {
    if (password !== undefined)
      this.bytes(StunAttribute.messageIntegrity, integrityOf(this.concatenate(), password));
    const fingerprint = fingerprintOf(this.concatenate());
    return this.uint32(StunAttribute.fingerprint, fingerprint).concatenate();
  }

  private concatenate(): Buffer {
    const message = Buffer.concat([this.header, ...this.parts]);
    message.writeUInt16BE(message.length - headerBytes, 2);
    return message;
  }
}

/** The HMAC over what stands before the attribute, with the length field as if it ended right after it. */
function integrityOf(before: Buffer, password: string | Buffer): Buffer {
  return createHmac('sha1', password)
    .update(withLength(before, before.length - headerBytes + 4 + integrityBytes))
    .digest();
}

function fingerprintOf(before: Buffer): number {
  return (crc32(withLength(before, before.length - headerBytes + 8)) ^ fingerprintXor) >>> 0;
}

function withLength(before: Buffer, length: number): Buffer {
  const copy = Buffer.from(before);
  copy.writeUInt16BE(length, 2);
  return copy;
}

/** The 16 bytes of an IPv6 address without zone, as node:net accepts it. */
function ipv6Bytes(address: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address;
  const [head = '', tail] = text.split('::');
  const groupsOf = (part: string) =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16));
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const groups = [
    ...first,
    ...new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0),
    ...last,
  ];
  const bytes = Buffer.alloc(16);
  for (let i = 0; i < 8; i++) bytes.writeUInt16BE(groups[i] ?? 0, 2 * i);
  return bytes;
}
