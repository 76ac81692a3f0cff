/**
 * `opencamerad doctor`: looks for what could go wrong on this machine with this configuration, and says what to do.
 *
 * Nothing is changed and nothing is started, so it may run beside a running camera. One line a finding on standard
 * output; exit status 1 when a problem was found, else 0, so that scripts may ask.
 */
import type { Configuration } from '../config/configuration.ts';
import { printable } from '../telemetry/log.ts';
import { checkDevices } from './checks/devices.ts';
import { checkFirmware } from './checks/firmware.ts';
import { checkRecordingsFolder, checkStateFolder } from './checks/folders.ts';
import { checkCertificate } from './checks/https.ts';
import { checkDataPlane, checkLibraries, checkPasswordHash } from './checks/libraries.ts';
import { checkClock, checkKernel, checkMemory, checkNode, checkOpenFiles } from './checks/machine.ts';
import { checkAddresses, checkPorts, checkSocketBuffers } from './checks/network.ts';
import { checkSources } from './checks/sources.ts';
import type { Check, Finding } from './finding.ts';

/** In the order of the report. */
const checks: readonly Check[] = [
  checkNode,
  checkKernel,
  checkMemory,
  checkOpenFiles,
  () => checkClock(),
  checkStateFolder,
  checkRecordingsFolder,
  checkAddresses,
  checkPorts,
  checkCertificate,
  checkSocketBuffers,
  checkSources,
  checkDevices,
  checkLibraries,
  checkPasswordHash,
  configuration => checkDataPlane(configuration),
  checkFirmware,
];

const marks = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const;

/** Runs all checks; resolves to whether no problem was found. */
export async function doctor(configuration: Configuration, write: (text: string) => void): Promise<boolean> {
  let problems = 0;
  let warnings = 0;
  for (const check of checks)
    for (const finding of await check(configuration)) {
      write(lineOf(finding));
      if (finding.level === 'problem') problems++;
      if (finding.level === 'warning') warnings++;
    }
  write(
    problems + warnings === 0
      ? '\nNothing is wrong.\n'
      : `\n${count(problems, 'problem')}, ${count(warnings, 'warning')}.\n`,
  );
  return problems === 0;
}

function lineOf({ level, subject, found, advice }: Finding): string {
  const line = `${marks[level]}  ${subject.padEnd(14)}  ${printable(found)}\n`;
  return advice === undefined ? line : `${line}${' '.repeat(25)}→ ${printable(advice)}\n`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
