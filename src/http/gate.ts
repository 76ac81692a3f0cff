/**
 * What every request passes before its route, after the guard has found it well formed: rate, host, origin.
 *
 * In this order, so that whoever asks too often costs least. The guard knows one request, the gate knows the camera: its
 * names, its configuration, and what an address did before. Made by front-end.ts, asked by the dispatcher. Main thread.
 */
import { addressKey } from '../auth/address-key.ts';
import type { Clock } from '../base/clock.ts';
import type { HttpConfiguration } from '../config/configuration.ts';
import type { Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import type { Exchange } from './exchange.ts';
import { HostPolicy, type Machine } from './host-policy.ts';
import { strictTransportSeconds } from './limits.ts';
import { OriginPolicy } from './origin-policy.ts';
import { RequestFault } from './problems.ts';
import { KeyedRateLimiter } from './rate-limiter.ts';
import type { Reply } from './reply.ts';

/** What the gate looks at. */
export type GateRequest = Pick<Exchange, 'method' | 'path' | 'headers' | 'remoteAddress'>;

/** One for a server. */
export class Gate {
  private readonly hosts: HostPolicy;
  private readonly origins: OriginPolicy;
  private readonly requests: KeyedRateLimiter;
  private readonly log: LogThrottle;
  private readonly transport: Readonly<Record<string, string>>;

  /**
   * @param options `host` is the address that is listened on; `strictTransport` tells browsers to come by TLS alone from
   * now on, which only a certificate that they trust allows.
   */
  constructor(options: {
    readonly http: HttpConfiguration;
    readonly scheme: 'http' | 'https';
    readonly host: string;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly strictTransport?: boolean;
    readonly machine?: Machine;
  }) {
    const { http, clock } = options;
    this.hosts = new HostPolicy({ ...options, names: http.names });
    this.origins = new OriginPolicy({ scheme: options.scheme, origins: http.origins });
    this.requests = new KeyedRateLimiter({
      perSecond: http.requestsPerSecond,
      burst: http.requestBurst,
      clock,
    });
    this.log = new LogThrottle(options.logger, clock);
    this.transport = options.strictTransport
      ? { 'strict-transport-security': `max-age=${strictTransportSeconds}` }
      : {};
  }

  /** Tells the port that is listened on; before that every host is refused. */
  listensOn(port: number): void {
    this.hosts.listensOn(port);
  }

  /** Why the request may not go on, if so; only for requests without a fault of the guard. */
  check(request: GateRequest): RequestFault | undefined {
    const retryAfterSeconds = this.requests.take(addressKey(request.remoteAddress));
    if (retryAfterSeconds > 0) return new RequestFault('rate-limited', { retryAfterSeconds });
    const host = request.headers.single('host') ?? '';
    if (!this.hosts.allows(host)) return this.refused('host-refused', request, { host });
    if (!this.origins.allows(request)) {
      const origin = request.headers.all('origin').join(', ').slice(0, 200);
      return this.refused('origin-refused', request, { origin });
    }
    return undefined;
  }

  /** What the answer carries besides guard.ts's common fields, refusals included; lower case, `vary` among them. */
  replyHeaders(request: GateRequest): Readonly<Record<string, string>> {
    return { ...this.transport, ...this.origins.replyHeaders(request.headers) };
  }

  /** The answer to a CORS preflight of a listed origin; undefined for all other requests. After {@link check}. */
  preflight(request: GateRequest): Reply | undefined {
    return this.origins.preflight(request.method, request.headers);
  }

  private refused(
    code: 'host-refused' | 'origin-refused',
    { remoteAddress }: GateRequest,
    fields: Readonly<Record<string, string>>,
  ): RequestFault {
    this.log.log('warn', code, 'request refused', { code, remoteAddress, ...fields });
    return new RequestFault(code);
  }
}
