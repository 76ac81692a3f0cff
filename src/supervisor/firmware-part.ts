/**
 * Firmware upgrades as a part of the camera, the last to start: a version on trial is watched from here until it has
 * proved itself, or its time is over and the version before is started again. Main thread.
 *
 * The launcher has a limit of its own, a little longer, for a version that hangs and does not even watch itself.
 */
import type { Configuration } from '../config/configuration.ts';
import { proofHoldMs, proofLookMs } from '../firmware/limits.ts';
import type { FirmwareUpgrades } from '../firmware/upgrades.ts';
import type { HealthReport } from '../ipc/health.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import { isWildcard } from './address-url.ts';
import { missingProof, type OwnServer } from './self-proof.ts';
import type { Part } from './supervisor.ts';

/** What a camera that was not upgraded is asked for before it counts as well again. */
const anything = { pictures: false, recording: false };

/** See the head of the file. */
export class FirmwarePart implements Part {
  readonly name = 'firmware';
  private readonly upgrades: FirmwareUpgrades;
  private readonly options: {
    readonly configuration: Configuration;
    readonly logger: Logger;
    health(): HealthReport;
    port(): number;
  };
  private isOver = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(upgrades: FirmwareUpgrades, options: FirmwarePart['options']) {
    this.upgrades = upgrades;
    this.options = options;
  }

  async start(): Promise<void> {
    this.watch().catch(error => {
      this.options.logger.error('the trial of the firmware cannot be ended', errorFields(error));
    });
  }

  async stop(): Promise<boolean> {
    this.isOver = true;
    clearTimeout(this.timer);
    return true;
  }

  /** Looks again and again, until all has been well for a while or the time is over. */
  private async watch(): Promise<void> {
    const { trial } = this.upgrades;
    const { firmware } = this.options.configuration;
    const deadlineMs = performance.now() + firmware.trialSeconds * 1000;
    let wellSinceMs: number | undefined;
    while (!this.isOver) {
      const missing = await missingProof(this.options.health(), trial ?? anything, this.server);
      const nowMs = performance.now();
      if (this.isOver) return;
      if (missing !== undefined) wellSinceMs = undefined;
      else wellSinceMs ??= nowMs;
      if (wellSinceMs !== undefined && nowMs - wellSinceMs >= proofHoldMs) {
        await this.upgrades.proved();
        return;
      }
      if (trial && missing !== undefined && nowMs >= deadlineMs) {
        await this.upgrades.notProved(missing);
        return;
      }
      await new Promise<void>(resolve => {
        this.timer = setTimeout(resolve, proofLookMs);
        this.timer.unref();
      });
    }
  }

  private get server(): OwnServer {
    const { host, https } = this.options.configuration;
    const own = isWildcard(host) ? (host.includes(':') ? '::1' : '127.0.0.1') : host;
    return { host: own, port: this.options.port(), isTls: https.enabled };
  }
}
