/**
 * Makes the upgrades of a camera from its configuration: the back end, the keys, the name of the board. Main thread, at
 * start.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { FirmwareBackEnd } from './back-end.ts';
import { boardTool } from './board-tool.ts';
import type { BootSource, Trial } from './boot-record.ts';
import { FileSlots } from './file-slots.ts';
import { noSlots } from './no-slots.ts';
import { raucTool } from './rauc-tool.ts';
import { storageError } from './storage-errors.ts';
import { ToolSlots } from './tool-slots.ts';
import { developmentKeyName, readTrustedKeys } from './trusted-keys.ts';
import { FirmwareUpgrades } from './upgrades.ts';

/** Apart from the record of file slots, which makes a launcher of `opencamerad start`. */
const toolFolder = 'device';

/** Absolute path of the slots. */
export function slotsFolder({ state, firmware }: Pick<Configuration, 'state' | 'firmware'>): string {
  return path.resolve(firmware.slots === '' ? path.join(state, 'firmware') : firmware.slots);
}

/** Files and folders of the keys that are trusted. @param packageFolder of the running software. */
export function keyNamesOf(
  { firmware }: Pick<Configuration, 'firmware'>,
  packageFolder: URL,
): readonly string[] {
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

/** Opens what is there. Never rejects: a camera whose firmware cannot be upgraded records all the same. */
export async function openUpgrades(
  configuration: Configuration,
  options: Options,
): Promise<FirmwareUpgrades> {
  const { logger, packageFolder } = options;
  const { firmware } = configuration;
  const trusted = keyNamesOf(configuration, packageFolder);
  // Without the launcher nobody would start what is installed in files.
  const isSetUp = trusted.length > 0 && (firmware.backEnd !== 'files' || options.slot !== undefined);
  const keyNames = isSetUp ? trusted : [];
  if (isSetUp && firmware.developmentKey)
    logger.warn('firmware signed with the development key is taken: anybody can make such an image');
  try {
    readTrustedKeys(keyNames);
  } catch (error) {
    logger.error('a key for firmware cannot be used, so every upgrade is refused', errorFields(error));
  }
  return new FirmwareUpgrades({
    ...options,
    configuration: firmware,
    keyNames,
    board: boardOf(configuration),
    backEnd: await backEndOf(configuration, options, isSetUp),
  });
}

async function backEndOf(
  configuration: Configuration,
  { slot, version, factoryVersion, clock, logger }: Options,
  isSetUp: boolean,
): Promise<FirmwareBackEnd> {
  const folder = slotsFolder(configuration);
  const { backEnd, command } = configuration.firmware;
  try {
    // Slots that something was installed into are looked after, whatever the configuration says now.
    if (slot !== undefined)
      return FileSlots.open({ folder, running: slot, runningVersion: version, factoryVersion, clock });
    if (!isSetUp)
      return noSlots(backEnd, new CameraError('firmware-not-set-up', 'no key for firmware is configured'));
    const tool = backEnd === 'rauc' ? raucTool() : boardTool(command);
    return await ToolSlots.open({
      tool,
      folder: path.join(folder, toolFolder),
      runningVersion: version,
      clock,
    });
  } catch (error) {
    logger.error('firmware cannot be upgraded', errorFields(error));
    return noSlots(backEnd, error instanceof CameraError ? error : storageError(error));
  }
}
