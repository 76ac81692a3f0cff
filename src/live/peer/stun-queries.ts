/**
 * Binding requests to STUN servers (RFC 8489 §3) from the sockets of host candidates: each tells under which address
 * the world sees that socket.
 *
 * An answer counts only when it comes from the asked address with the transaction of the request. Live thread.
 */
import { newTransactionId } from './candidate-pair.ts';
import type { IceBase } from './ice-base.ts';
import { stunRequestTimesMs, stunWaitMs } from './peer-limits.ts';
import { readStunMessage, StunType, StunWriter } from './stun-message.ts';

/** An IP address in canonical form, and a port. */
export interface MappedAddress {
  readonly address: string;
  readonly port: number;
}

export class StunQueries {
  private readonly waiting = new Map<string, (mapped: MappedAddress | undefined) => void>();

  /** Asks a server of the base's family; resolves to undefined when it does not answer. */
  ask(base: IceBase, address: string, port: number): Promise<MappedAddress | undefined> {
    const transactionId = newTransactionId();
    const request = new StunWriter(StunType.request, transactionId).finish();
    const key = `${transactionId} ${address} ${port}`;
    return new Promise(resolve => {
      const timers = stunRequestTimesMs.map(timeMs =>
        setTimeout(() => base.send(request, port, address), timeMs),
      );
      const end = (mapped: MappedAddress | undefined): void => {
        for (const timer of timers) clearTimeout(timer);
        this.waiting.delete(key);
        resolve(mapped);
      };
      timers.push(setTimeout(() => end(undefined), stunWaitMs));
      this.waiting.set(key, end);
    });
  }

  /** Whether the datagram was an answer of a server that was asked; it is used up then. */
  take(bytes: Buffer, address: string, port: number): boolean {
    if (this.waiting.size === 0) return false;
    const message = readStunMessage(bytes);
    if (message?.type !== StunType.success) return false;
    const end = this.waiting.get(`${message.transactionId} ${address} ${port}`);
    const mapped = message.mappedAddress;
    if (!end || !mapped) return false;
    end(mapped);
    return true;
  }

  /** Ends all requests without an answer. */
  close(): void {
    for (const end of [...this.waiting.values()]) end(undefined);
  }
}
