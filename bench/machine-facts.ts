/**
 * What a figure means depends on the machine that gave it: board, processor, governor, heat. Read from /proc and /sys.
 *
 * Nothing here throws: what a system does not tell is null. Throttling is what the firmware of a Raspberry Pi says of
 * itself (bits of `get_throttled`); other boards do not tell.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

/** Facts of the machine at one moment. */
export interface MachineFacts {
  /** Of the device tree or the firmware, as `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly board: string | null;
  readonly cpuModel: string | null;
  readonly cores: number;
  readonly architecture: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly operatingSystem: string | null;
  /** CPU frequency governor; null where frequencies are not set. */
  readonly governor: string | null;
  /** The hottest thermal zone, °C. */
  readonly temperatureC: number | null;
  /** `get_throttled` of a Raspberry Pi in words; empty when nothing is or was wrong. */
  readonly throttled: readonly string[] | null;
}

/** The keys of {@link MachineFacts}, for a reader of a report. */
export const machineKeys = [
  'board',
  'cpuModel',
  'cores',
  'architecture',
  'memoryBytes',
  'kernel',
  'operatingSystem',
  'governor',
  'temperatureC',
  'throttled',
] as const satisfies readonly (keyof MachineFacts)[];

/** By bit of `vcgencmd get_throttled`. */
const throttleBits: Readonly<Record<number, string>> = {
  0: 'under-voltage now',
  1: 'frequency capped now',
  2: 'throttled now',
  3: 'soft temperature limit now',
  16: 'under-voltage since boot',
  17: 'frequency capped since boot',
  18: 'throttled since boot',
  19: 'soft temperature limit since boot',
};

/** Time that the firmware's tool may take, ms. */
const toolMsMax = 2000;

function textOf(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').replaceAll('\0', '').trim();
    return text === '' ? null : text;
  } catch {
    return null;
  }
}

/** Looks now; the temperature and the throttling change while a benchmark runs. */
export function machineFacts(): MachineFacts {
  const cpus = os.cpus();
  const release = textOf('/etc/os-release');
  return {
    board: textOf('/proc/device-tree/model') ?? textOf('/sys/class/dmi/id/product_name'),
    cpuModel: cpus[0]?.model || null,
    cores: os.availableParallelism(),
    architecture: process.arch,
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    operatingSystem: /^PRETTY_NAME="?([^"\n]*)/m.exec(release ?? '')?.[1] ?? null,
    governor: textOf('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    temperatureC: hottest(),
    throttled: throttled(),
  };
}

function hottest(): number | null {
  let zones: string[];
  try {
    zones = readdirSync('/sys/class/thermal').filter(name => name.startsWith('thermal_zone'));
  } catch {
    return null;
  }
  const degrees = zones
    .map(zone => Number(textOf(`/sys/class/thermal/${zone}/temp`) ?? Number.NaN) / 1000)
    .filter(Number.isFinite);
  return degrees.length === 0 ? null : Math.max(...degrees);
}

function throttled(): readonly string[] | null {
  let text = textOf('/sys/devices/platform/soc/soc:firmware/get_throttled');
  try {
    text ??= execFileSync('vcgencmd', ['get_throttled'], {
      encoding: 'utf8',
      timeout: toolMsMax,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // Not a Raspberry Pi, or its tools are not installed.
  }
  if (text === null) return null;
  const bits = Number.parseInt(text.trim().replace(/^throttled=/, ''), 16);
  if (Number.isNaN(bits)) return null;
  return Object.entries(throttleBits).flatMap(([bit, words]) => (bits & (1 << Number(bit)) ? [words] : []));
}

/** Load averages of one, five and fifteen minutes. */
export function loadAverages(): number[] {
  return os.loadavg().map(value => Number(value.toFixed(2)));
}
