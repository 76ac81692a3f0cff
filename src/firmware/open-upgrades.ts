/**
 * Makes the upgrades of a camera from its configuration: the back end, the keys, the name of the board. Main thread, at
 * start.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Clock } from '../base/clock.ts';
import type { Configuration } from '../config/configuration.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { FirmwareBackEnd } from './back-end.ts';
import { boardTool } from './board-tool.ts';
import type { BootSource, Trial } from './boot-record.ts';
import { FileSlots } from './file-slots.ts';
import { noSlots } from './no-slots.ts';
import { raucTool } from './rauc-tool.ts';
import { ToolSlots } from './tool-slots.ts';
import { developmentKeyName, readTrustedKeys } from './trusted-keys.ts';
import { FirmwareUpgrades } from './upgrades.ts';

/** Absolute path of the slots. */
export function slotsFolder({ state, firmware }: Pick<Configuration, 'state' | 'firmware'>): string {
  return path.resolve(firmware.slots === '' ? path.join(state, 'firmware') : firmware.slots);
}

/** Files and folders of the keys that are trusted. @param packageFolder of the running software. */
export function keyNamesOf({ firmware }: Pick<Configuration, 'firmware'>, packageFolder: URL): readonly string[] {
  if (!firmware.developmentKey) return firmware.keys;
  return [...firmware.keys, fileURLToPath(new URL(developmentKeyName, packageFolder))];
}

/** The name of this board. */
export function boardOf({ firmware }: Pick<Configuration, 'firmware'>): string {
  return firmware.board === '' ? `${process.platform}-${process.arch}` : firmware.board;
}

interface Options {
  /** Where the launcher found what runs; undefined when there was no launcher. */
  readonly slot: BootSource | undefined;
  readonly version: string;
  readonly factoryVersion: string | null;
  readonly packageFolder: URL;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: Pick<AuditLog, 'record'>;
  doing(): Trial['expected'];
  restart(): void;
}

/** Opens what is there. Rejects with CameraError `firmware-tool-failed` or `firmware-storage-failed`. */
export async function openUpgrades(configuration: Configuration, options: Options): Promise<FirmwareUpgrades> {
  const { logger, packageFolder } = options;
  const keyNames = keyNamesOf(configuration, packageFolder);
  if (configuration.firmware.developmentKey)
    logger.warn('firmware signed with the development key is taken: anybody can make such an image');
  try {
    if (keyNames.length > 0) readTrustedKeys(keyNames);
  } catch (error) {
    logger.error('a key for firmware cannot be used, so every upgrade is refused', errorFields(error));
  }
  return new FirmwareUpgrades({
    ...options,
    configuration: configuration.firmware,
    keyNames,
    board: boardOf(configuration),
    backEnd: await backEndOf(configuration, options, keyNames.length > 0),
  });
}

async function backEndOf(
  configuration: Configuration,
  { slot, version, factoryVersion, clock }: Options,
  isSetUp: boolean,
): Promise<FirmwareBackEnd> {
  const folder = slotsFolder(configuration);
  const { backEnd, command } = configuration.firmware;
  if (slot !== undefined)
    return FileSlots.open({ folder, running: slot, runningVersion: version, factoryVersion, clock });
  // Without the launcher nobody would start what is installed.
  if (!isSetUp || backEnd === 'files') return noSlots;
  const tool = backEnd === 'rauc' ? raucTool() : boardTool(command);
  return ToolSlots.open({ tool, folder, runningVersion: version, clock });
}
