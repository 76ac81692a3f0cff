/**
 * Whether `opencamerad start` is a launcher (launch.ts), and of which slots.
 *
 * It is when upgrades go to file slots, and a key is configured or something was ever installed there: a key that was taken
 * away later must not bring an old version back. A configuration that this version cannot read is looked through for the folder alone, as
 * a newer version in a slot may well be able to read it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseCommandLine } from '../config/command-line.ts';
import type { Configuration } from '../config/configuration.ts';
import { fileVariable, loadConfiguration } from '../config/load.ts';
import { options, optionValue } from '../config/options.ts';
import { readBootRecord } from '../firmware/boot-record.ts';
import { slotsFolder } from '../firmware/open-upgrades.ts';

export interface LaunchPlan {
  readonly folder: string;
  readonly trialSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** For a configuration that cannot be read. */
const usualTrialSeconds = 180;

/** The plan; undefined where this process is the camera itself. */
export function launchPlan(argv: readonly string[], environment: Environment): LaunchPlan | undefined {
  let configuration: Configuration;
  try {
    const { flags, file } = parseCommandLine(argv);
    configuration = loadConfiguration({ flags, file, environment }).configuration;
  } catch {
    const folder = guessedFolder(argv, environment);
    return hasRecord(folder) ? { folder, trialSeconds: usualTrialSeconds } : undefined;
  }
  const { backEnd, keys, developmentKey, trialSeconds } = configuration.firmware;
  if (backEnd !== 'files') return undefined;
  const folder = slotsFolder(configuration);
  const isSetUp = keys.length > 0 || developmentKey;
  return isSetUp || hasRecord(folder) ? { folder, trialSeconds } : undefined;
}

function hasRecord(folder: string): boolean {
  return readBootRecord(folder).from !== 'none';
}

/** The folder as the configuration names it, whatever else it says. */
function guessedFolder(argv: readonly string[], environment: Environment): string {
  const file = wordBehind(argv, '--config') ?? environment[fileVariable];
  const inFile = file === undefined ? undefined : parsedOrNothing(file);
  const textOf = (key: string): string | undefined => {
    const option = options.find(known => known.key === key)!;
    const found =
      wordBehind(argv, option.flag) ?? environment[option.variable] ?? optionValue(inFile ?? {}, option);
    return typeof found === 'string' ? found : undefined;
  };
  const slots = textOf('firmware.slots');
  return path.resolve(slots || path.join(textOf('state') ?? './data', 'firmware'));
}

function wordBehind(argv: readonly string[], flag: string): string | undefined {
  for (const [i, word] of argv.entries()) {
    if (word === flag) return argv[i + 1];
    if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1);
  }
  return undefined;
}

function parsedOrNothing(file: string): object | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
