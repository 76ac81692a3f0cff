/**
 * Puts DTLS handshake messages together from their fragments and hands them on in the order of message_seq
 * (RFC 6347 §4.2.2, §4.2.3). Duplicates, overlaps and loss of order are normal here; lies about lengths are dropped.
 *
 * One per session; bounded by peer-limits.ts. Live thread; no I/O.
 */
import { handshakeBytesMax, handshakeMessagesAhead } from './peer-limits.ts';

/** A fragment with werift's names of the header's fields; a whole message is one fragment of full length. */
export interface HandshakeFragment {
  msg_type: number;
  length: number;
  message_seq: number;
  fragment_offset: number;
  fragment_length: number;
  fragment: Buffer;
}

interface Partial<F> {
  readonly first: F;
  readonly body: Buffer;
  readonly isFilled: Uint8Array;
  missingBytes: number;
}

export class HandshakeAssembler<F extends HandshakeFragment> {
  private readonly partials = new Map<number, Partial<F>>();
  private nextSequence = 0;

  /** Whether the message was handed on before: the peer repeats its flight. */
  isRepeated(fragment: F): boolean {
    return fragment.message_seq < this.nextSequence;
  }

  /** Takes a fragment and returns the messages that are complete and next, none to many. */
  add(fragment: F): F[] {
    this.fill(fragment);
    const messages: F[] = [];
    for (;;) {
      const partial = this.partials.get(this.nextSequence);
      if (!partial || partial.missingBytes > 0) return messages;
      this.partials.delete(this.nextSequence++);
      const { first, body } = partial;
      first.fragment_offset = 0;
      first.fragment_length = body.length;
      first.fragment = body;
      messages.push(first);
    }
  }

  private fill(fragment: F): void {
    const { msg_type, length, message_seq, fragment_offset, fragment_length } = fragment;
    const bytes = fragment.fragment ?? Buffer.alloc(0);
    const ahead = message_seq - this.nextSequence;
    if (ahead < 0 || ahead >= handshakeMessagesAhead || length > handshakeBytesMax) return;
    if (bytes.length !== fragment_length || fragment_offset + fragment_length > length) return;
    let partial = this.partials.get(message_seq);
    if (!partial) {
      partial = {
        first: fragment,
        body: Buffer.alloc(length),
        isFilled: new Uint8Array(length),
        missingBytes: length,
      };
      this.partials.set(message_seq, partial);
    }
    if (partial.first.msg_type !== msg_type || partial.body.length !== length) return;
    bytes.copy(partial.body, fragment_offset);
    for (let i = fragment_offset; i < fragment_offset + fragment_length; i++) {
      partial.missingBytes -= 1 - partial.isFilled[i]!;
      partial.isFilled[i] = 1;
    }
  }
}
