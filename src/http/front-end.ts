/**
 * What lies between the network and the dispatcher: ports, TLS and its certificate, the limits of connections, the gate.
 *
 * Made from the configuration before anything listens, so that a certificate that cannot be used ends the start. With TLS,
 * a second port may send plain HTTP on to the first (308, RFC 9110 §15.4.9) for hosts that are the camera's, and does
 * nothing else. Main thread.
 */
import { randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { HttpConfiguration, HttpsConfiguration } from '../config/configuration.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { Exchange } from './exchange.ts';
import { Gate } from './gate.ts';
import { answerHeaders, requestFault } from './guard.ts';
import { kernelConnections } from './kernel-connections.ts';
import { certificateLookMs } from './limits.ts';
import { problemReply, RequestFault } from './problems.ts';
import type { Reply } from './reply.ts';
import { CertificateSource } from './tls/certificate-source.ts';
import { type Listener, listen } from './uws.ts';

/** What a front end is made from. */
export interface FrontEndOptions {
  /** Address to listen on, and TCP port; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  readonly http: HttpConfiguration;
  readonly https: HttpsConfiguration;
  /** Where the camera keeps a certificate of its own. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the files of the certificate are looked at; for tests. */
  readonly certificateLookMs?: number;
}

/** Ports that serve. */
export interface Serving {
  readonly port: number;
  /** The port that sends on to it; undefined where there is none. */
  readonly redirectPort: number | undefined;
  close(): void;
}

/** Everything but the dispatcher. */
export class FrontEnd {
  readonly scheme: 'http' | 'https';
  /** Every request passes it, after the guard. */
  readonly gate: Gate;
  readonly connections: ConnectionLimits;
  private readonly options: FrontEndOptions;
  private readonly certificate: CertificateSource | undefined;
  private isRenewing = false;
  private isRenewalDue = false;

  private constructor(options: FrontEndOptions, certificate: CertificateSource | undefined) {
    const { http } = options;
    this.options = options;
    this.certificate = certificate;
    this.scheme = certificate ? 'https' : 'http';
    // A browser that does not trust the certificate must not be told to insist on it.
    this.gate = new Gate({ ...options, scheme: this.scheme, strictTransport: certificate?.isOwn === false });
    this.connections = new ConnectionLimits({
      ...options,
      max: http.maxConnections,
      maxPerAddress: http.maxConnectionsPerAddress,
      perSecond: http.requestsPerSecond,
      burst: http.requestBurst,
      table: kernelConnections,
    });
  }

  /** Rejects with CameraError `config-invalid` or `state-failed` when there is no certificate to use. */
  static async open(options: FrontEndOptions): Promise<FrontEnd> {
    const { https, http } = options;
    const names = (): readonly string[] => ownNames(http.names);
    return new FrontEnd(
      options,
      https.enabled ? await CertificateSource.open({ ...options, names }) : undefined,
    );
  }

  /** Listens; throws CameraError `listen-failed`. */
  listen(onRequest: (exchange: Exchange) => void): Serving {
    const { host, https } = this.options;
    const main = this.listenOn(this.options.port, this.certificate?.files, onRequest);
    this.gate.listensOn(main.port);
    const listeners = [main];
    let redirect: Listener | undefined;
    if (this.certificate && https.redirectPort !== 0)
      try {
        const gate = new Gate({ ...this.options, scheme: 'http' });
        redirect = this.listenOn(https.redirectPort, undefined, exchange =>
          sendOn(exchange, gate, main.port),
        );
        gate.listensOn(redirect.port);
        listeners.push(redirect);
        this.options.logger.info('plain HTTP is sent on to HTTPS', { host, port: redirect.port });
      } catch (error) {
        main.close();
        throw error;
      }
    const timer = setInterval(
      () => void this.renew(main),
      this.options.certificateLookMs ?? certificateLookMs,
    );
    timer.unref();
    if (!this.certificate) clearInterval(timer);
    return {
      port: main.port,
      redirectPort: redirect?.port,
      close() {
        clearInterval(timer);
        for (const listener of listeners) listener.close();
      },
    };
  }

  private listenOn(
    port: number,
    tls: CertificateSource['files'] | undefined,
    onRequest: (exchange: Exchange) => void,
  ): Listener {
    const { host } = this.options;
    const listener = listen({ host, port, tls, connections: this.connections }, onRequest);
    this.connections.listensOn(listener.port);
    return listener;
  }

  private async renew(listener: Listener): Promise<void> {
    if (!this.certificate || this.isRenewing) return;
    this.isRenewing = true;
    if (await this.certificate.refresh()) this.isRenewalDue = true;
    try {
      if (this.isRenewalDue) listener.renewTls(this.certificate.files);
      this.isRenewalDue = false;
    } catch (error) {
      this.options.logger.error('the new certificate is not served', errorFields(error));
    }
    this.isRenewing = false;
  }
}

/** Answers with the same target at the port of TLS. */
function sendOn(exchange: Exchange, gate: Gate, port: number): void {
  const requestId = randomUUID();
  const complete = (reply: Reply): Reply => ({
    ...reply,
    headers: answerHeaders(reply.headers, gate.replyHeaders(exchange), requestId),
  });
  if (requestFault(exchange.path, exchange.headers) !== undefined) {
    exchange.refuse(complete(problemReply(new RequestFault('request-malformed'), requestId)));
    return;
  }
  const fault = gate.check(exchange);
  if (fault) {
    exchange.send(complete(problemReply(fault, requestId)), { close: true });
    return;
  }
  const host = exchange.headers.single('host')!.replace(/:[0-9]+$/, '');
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${exchange.path}${query}`;
  exchange.send(complete({ status: 308, headers: { location }, body: '' }), { close: true });
}

/** The names and addresses by which a browser may come, for a certificate of the camera's own. */
function ownNames(configured: readonly string[]): readonly string[] {
  const name = hostname().toLowerCase();
  const label = name.split('.')[0]!;
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return [
    name,
    ...(label === name ? [] : [label]),
    `${label}.local`,
    ...configured.map(entry =>
      entry
        .toLowerCase()
        .replace(/:[0-9]+$/, '')
        .replace(/^\[|\]$/g, ''),
    ),
    'localhost',
    '127.0.0.1',
    '::1',
    ...addresses.filter(each => !each.internal && !each.address.startsWith('fe80')).map(each => each.address),
  ];
}
