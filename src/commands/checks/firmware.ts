/**
 * Firmware upgrades: whose images are taken, whether there is room for them, and how the last one ended.
 *
 * The boot record is read as the launcher reads it; a board's own tool is asked for its slots, and changes nothing.
 */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { boardTool } from '../../firmware/board-tool.ts';
import { type BootRecord, readBootRecord } from '../../firmware/boot-record.ts';
import { boardOf, keyNamesOf, slotsFolder } from '../../firmware/open-upgrades.ts';
import { raucTool } from '../../firmware/rauc-tool.ts';
import { readTrustedKeys } from '../../firmware/trusted-keys.ts';
import { packageFolder } from '../../supervisor/worker-entry.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

const subject = 'firmware';

/** For the camera's own bundle, packed and unpacked, and some room, bytes. */
const roomBytesMin = 64 * 1024 * 1024;

export async function checkFirmware(configuration: Configuration): Promise<readonly Finding[]> {
  const { firmware } = configuration;
  const names = keyNamesOf(configuration, packageFolder());
  if (names.length === 0)
    return [good(subject, 'upgrades are off: no key says which images can be trusted (--firmware-keys)')];
  const findings = [keysFinding(configuration, names)];
  if (firmware.developmentKey)
    findings.push(
      warning(
        subject,
        'images signed with the development key are taken, which everybody can make',
        'use a key of your own (opencamerad firmware keygen) on a camera that is in use',
      ),
    );
  if (firmware.backEnd === 'files')
    findings.push(...slotsFindings(readBootRecord(slotsFolder(configuration))));
  else findings.push(await toolFinding(firmware));
  const room = await roomFinding(slotsFolder(configuration));
  return room ? [...findings, room] : findings;
}

function keysFinding(configuration: Configuration, names: readonly string[]): Finding {
  try {
    const keys = readTrustedKeys(names);
    if (keys.length === 0)
      return problem(subject, `there is no key in ${names.join(', ')}`, 'put a *.pub file there');
    const ids = keys.map(({ id }) => id).join(', ');
    return good(subject, `images for ${boardOf(configuration)} signed by ${ids} are taken`);
  } catch (error) {
    return problem(subject, (error as Error).message, 'every upgrade is refused until it is mended');
  }
}

function slotsFindings({ record, from }: { readonly record: BootRecord; readonly from: string }): Finding[] {
  const findings: Finding[] = [];
  if (from === 'previous')
    findings.push(
      warning(
        subject,
        'the boot record was damaged; the one before is used',
        'look at the disk of the state folder',
      ),
    );
  const { lastResult } = record;
  if (lastResult?.outcome === 'fell-back')
    findings.push(
      warning(
        subject,
        `version ${lastResult.version} was given up: ${lastResult.reason}`,
        'the log of that time says more; upload another version',
      ),
    );
  return findings;
}

async function toolFinding({ backEnd, command }: Configuration['firmware']): Promise<Finding> {
  try {
    const { activeSlot, slots } = await (backEnd === 'rauc' ? raucTool() : boardTool(command)).status();
    return good(subject, `${backEnd} has ${slots.length} slots; ${activeSlot} runs`);
  } catch (error) {
    return problem(
      subject,
      (error as Error).message,
      `opencamerad needs ${backEnd} for upgrades; try it by hand`,
    );
  }
}

/** Of the folder, or of the one that it will be made in. */
async function roomFinding(folder: string): Promise<Finding | undefined> {
  for (let place = folder; ; place = path.dirname(place)) {
    const found = await statfs(place).catch(() => undefined);
    if (!found && place !== path.dirname(place)) continue;
    if (!found || found.bavail * found.bsize >= roomBytesMin) return undefined;
    const megabytes = Math.floor((found.bavail * found.bsize) / 1e6);
    return warning(
      subject,
      `${place} has ${megabytes} MB left for an image`,
      'free some room, or move --firmware-slots',
    );
  }
}
