/**
 * The HTTP front end as a part of the camera: the one that starts last and stops first. Main thread.
 */
import { CameraError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import type { HttpServices } from '../http/services.ts';
import type { Part } from './supervisor.ts';

/** See the head of the file. */
export class HttpPart implements Part {
  readonly name = 'http';
  private readonly configuration: Configuration;
  private readonly services: () => HttpServices;
  private server: Promise<HttpServer> | undefined;
  /** The port that is really listened on. */
  port = 0;

  constructor(configuration: Configuration, services: () => HttpServices) {
    this.configuration = configuration;
    this.services = services;
  }

  async start(): Promise<void> {
    const { host, port } = this.configuration;
    this.server = startHttpServer({ host, port }, this.services());
    try {
      this.port = (await this.server).port;
    } catch (cause) {
      if (!(cause instanceof CameraError && cause.code === 'listen-failed')) throw cause;
      const advice = 'stop the program that uses it, or choose another with --port or --host';
      throw new CameraError('listen-failed', `${cause.message}; ${advice}`, cause.details, { cause });
    }
  }

  async stop(withinMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>(resolve => {
      timer = setTimeout(resolve, withinMs);
    });
    // A server that never came up has nothing to close, and its error was told by start().
    const server = this.server?.catch(() => undefined);
    await Promise.race([server?.then(running => running?.close()), timeout]);
    clearTimeout(timer);
    return true;
  }
}
