/**
 * One request on its way through the dispatcher: what is known of it so far, and what its handler sees in the end.
 * Main thread.
 */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../auth/audit-log.ts';
import type { Session } from '../auth/session.ts';
import type { Exchange } from './exchange.ts';
import type { Operation } from './openapi/operation-table.ts';
import type { Parameters } from './openapi/parameters.ts';
import type { Call, OperationId } from './operations.ts';

/** Filled in step by step by the dispatcher. */
export class PendingCall {
  readonly requestId = randomUUID();
  readonly exchange: Exchange;
  readonly startedMonoUs: number;
  /** Undefined before the route is known, and for files of the pages. */
  operation: Operation | undefined;
  token: string | undefined;
  session: Session | undefined;
  parameters: { readonly path: Parameters; readonly query: Parameters } = { path: {}, query: {} };
  body: unknown;
  private isAbandoned = false;

  constructor(exchange: Exchange, startedMonoUs: number) {
    this.exchange = exchange;
    this.startedMonoUs = startedMonoUs;
  }

  /** The deadline has passed. */
  abandon(): void {
    this.isAbandoned = true;
  }

  /** Whether nobody waits for the answer any more. */
  get abandoned(): boolean {
    return this.isAbandoned || this.exchange.aborted;
  }

  /** For the audit log. */
  get caller(): Caller {
    return { remoteAddress: this.exchange.remoteAddress, requestId: this.requestId };
  }

  /** What the handler gets; its types are right because the document and the dispatcher made it so. */
  forHandler(): Call<OperationId> {
    const { requestId, exchange, parameters, token, session, body } = this;
    const { headers, remoteAddress } = exchange;
    const call = this;
    const view = {
      requestId,
      headers,
      isHead: exchange.method === 'HEAD',
      remoteAddress,
      caller: this.caller,
      parameters: parameters.path,
      query: parameters.query,
      body,
      token,
      session,
      get abandoned() {
        return call.abandoned;
      },
    };
    return view as unknown as Call<OperationId>;
  }
}
