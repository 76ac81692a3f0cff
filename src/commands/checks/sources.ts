/**
 * The media sources: the files that they read are there, the devices may be opened. Commands are not run: they may
 * start a camera that another process holds.
 */
import { constants } from 'node:fs';
import { access, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { redact } from '../../config/options.ts';
import { type Finding, good, problem } from '../finding.ts';

const deviceFolder = '/sys/class/video4linux';

export async function checkSources(configuration: Configuration): Promise<readonly Finding[]> {
  const { source, subSource, audioSource } = configuration;
  const named = Object.entries({ video: source, 'sub video': subSource, sound: audioSource });
  return Promise.all(named.filter(([, text]) => text !== '').map(([name, text]) => checkSource(name, text)));
}

async function checkSource(name: string, text: string): Promise<Finding> {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const shown = redact(text);
  if (kind !== 'file' && kind !== 'v4l2') return good(name, shown);
  try {
    await access(rest, kind === 'file' ? constants.R_OK : constants.R_OK | constants.W_OK);
    if (kind === 'file' && !(await stat(rest)).isFile())
      return problem(name, `${shown} is not a regular file`, 'for a pipe or device use command:cat PATH');
    return good(name, shown);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    const advice =
      kind === 'file'
        ? 'check the path and its permissions'
        : reason === 'EACCES'
          ? 'add the user that runs the camera to the group video'
          : 'connect the device; the line "devices" lists what there is';
    return problem(name, `${shown} cannot be opened (${reason})`, advice);
  }
}

/** What video devices the kernel knows. */
export async function checkDevices(): Promise<readonly Finding[]> {
  const names = await readdir(deviceFolder).catch(() => []);
  const described = await Promise.all(
    names.slice(0, 32).map(async name => {
      const title = await readFile(path.join(deviceFolder, name, 'name'), 'utf8').catch(() => '');
      return `/dev/${name} (${title.trim()})`;
    }),
  );
  return [good('devices', described.length > 0 ? described.join(', ') : 'no video device (Video4Linux)')];
}
