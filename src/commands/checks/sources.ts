/**
 * The media sources: the files that they read are there, the devices may be opened. Commands are not run: they may
 * start a camera that another process holds.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { CameraError } from '../../base/errors.ts';
import { parseV4l2Options, type V4l2Options } from '../../capture/v4l2-options.ts';
import type { Configuration } from '../../config/configuration.ts';
import { redact } from '../../config/options.ts';
import { loadAddon } from '../../native/addon.ts';
import { type Finding, good, problem } from '../finding.ts';

const v4l2Scheme = 'v4l2:';

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
  if (kind === 'v4l2') return checkV4l2(name, text);
  if (kind !== 'file') return good(name, shown);
  try {
    await access(rest, constants.R_OK);
    if (!(await stat(rest)).isFile())
      return problem(name, `${shown} is not a regular file`, 'for a pipe or device use command:cat PATH');
    return good(name, shown);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    return problem(name, `${shown} cannot be opened (${reason})`, 'check the path and its permissions');
  }
}

async function checkV4l2(name: string, text: string): Promise<Finding> {
  let device = text;
  try {
    const { encoder, ...options } = parseV4l2Options(text.slice(v4l2Scheme.length));
    for (device of encoder === undefined ? [options.device] : [options.device, encoder])
      await access(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    if (error instanceof CameraError)
      return problem(name, `${text} cannot be used: ${error.message}`, 'see --help for the form of --source');
    const reason = (error as NodeJS.ErrnoException).code;
    const advice =
      reason === 'EACCES'
        ? 'add the user that runs the camera to the group video'
        : 'connect the device; the lines "devices" list what there is';
    return problem(name, `${device} cannot be opened (${reason})`, advice);
  }
  const loaded = loadAddon();
  if ('missing' in loaded)
    return problem(name, `${text} needs the native addon: ${loaded.missing}`, 'run npm run build:native');
  return good(name, text);
}

/** What a V4L2 source asks for; undefined for a source of another kind, and for one that cannot be read. */
export function v4l2OptionsOf(text: string): V4l2Options | undefined {
  if (!text.startsWith(v4l2Scheme)) return undefined;
  try {
    return parseV4l2Options(text.slice(v4l2Scheme.length));
  } catch {
    return undefined;
  }
}
