/**
 * A front end without the camera behind it: guard and gate are the real ones, every request that passes them is counted
 * and answered with its remote address.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HttpConfiguration, HttpsConfiguration } from '../../src/config/configuration.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import { FrontEnd, type FrontEndOptions, type Serving } from '../../src/http/front-end.ts';
import { answerHeaders, requestFault } from '../../src/http/guard.ts';
import { problemReply, RequestFault } from '../../src/http/problems.ts';
import { jsonReply, type Reply } from '../../src/http/reply.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import type { LogLine } from './fake-services.ts';

/** Bounds that only their own tests meet. */
export const generous: HttpConfiguration = {
  names: [],
  origins: [],
  requestsPerSecond: 100_000,
  requestBurst: 100_000,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 10_000,
  openMetrics: false,
  validateReplies: true,
  requestTimeoutSeconds: 10,
};

export const plain: HttpsConfiguration = { enabled: false, certificate: '', key: '', redirectPort: 0 };

/** One server of the fixture. */
export class BareCamera {
  readonly log: LogLine[] = [];
  readonly stateFolder: string;
  /** Paths of the requests that passed. */
  readonly seen: string[] = [];
  frontEnd!: FrontEnd;
  serving!: Serving;

  private constructor(stateFolder: string) {
    this.stateFolder = stateFolder;
  }

  static async start(
    options: {
      readonly http?: Partial<HttpConfiguration>;
      readonly https?: Partial<HttpsConfiguration>;
      readonly stateFolder?: string;
    } & Partial<Omit<FrontEndOptions, 'http' | 'https'>> = {},
  ): Promise<BareCamera> {
    const camera = new BareCamera(options.stateFolder ?? mkdtempSync(path.join(tmpdir(), 'front-end-')));
    const line =
      (level: string) =>
      (message: string, fields: LogLine['fields'] = {}): void => {
        camera.log.push({ level, message, fields });
      };
    camera.frontEnd = await FrontEnd.open({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      ...options,
      stateFolder: camera.stateFolder,
      http: { ...generous, ...options.http },
      https: { ...plain, ...options.https },
    });
    camera.serving = camera.frontEnd.listen(exchange => camera.answer(exchange));
    return camera;
  }

  get port(): number {
    return this.serving.port;
  }

  /** Closes the server and removes its state, unless told to keep it. */
  async stop(keep: { readonly state?: boolean } = {}): Promise<void> {
    this.serving.close();
    await new Promise(resolve => setImmediate(resolve));
    if (!keep.state) rmSync(this.stateFolder, { recursive: true, force: true });
  }

  private answer(exchange: Exchange): void {
    const { gate } = this.frontEnd;
    const complete = (reply: Reply): Reply => ({
      ...reply,
      headers: answerHeaders(reply.headers, gate.replyHeaders(exchange), 'request-1'),
    });
    if (requestFault(exchange.path, exchange.headers) !== undefined) {
      exchange.refuse(complete(problemReply(new RequestFault('request-malformed'), 'request-1')));
      return;
    }
    const fault = gate.check(exchange);
    const early = fault ? problemReply(fault, 'request-1') : gate.preflight(exchange);
    if (!early) this.seen.push(exchange.path);
    exchange.send(complete(early ?? jsonReply({ remoteAddress: exchange.remoteAddress })));
  }
}
