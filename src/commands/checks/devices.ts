/**
 * The video devices that the kernel knows (Video for Linux): what each gives, and what to put into --source for it.
 *
 * The devices in /sys/class/video4linux, and those that the configuration names. Each is opened and asked, which
 * disturbs no program that is using it; nothing is set and nothing is started. Without the native addon only the names
 * can be told.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  chooseCoded,
  chooseRaw,
  codedFormatsOf,
  listFormats,
  rateOf,
  roleOf,
} from '../../capture/v4l2-choice.ts';
import type { Configuration } from '../../config/configuration.ts';
import { loadAddon } from '../../native/addon.ts';
import { type V4l2Binding, V4l2Device, type V4l2FormatDescription } from '../../native/v4l2.ts';
import { BufferType, Capability, fourccText } from '../../native/v4l2-constants.ts';
import { type Finding, good, warning } from '../finding.ts';
import { v4l2OptionsOf } from './sources.ts';

const deviceFolder = '/sys/class/video4linux';
/** Devices that are listed; an image processor of a board has a dozen nodes. */
const devicesMax = 32;
/** Sizes of a format that are listed, the largest first. */
const sizesShownMax = 6;
const subject = 'devices';

interface VideoDevice {
  readonly path: string;
  readonly driver: string;
  readonly card: string;
  readonly role: 'camera' | 'encoder' | 'other';
  /** Formats that it gives, with their sizes in words. */
  readonly gives: readonly (V4l2FormatDescription & { readonly sizes: string })[];
  /** Formats that it takes; of an encoder alone. */
  readonly takes: readonly V4l2FormatDescription[];
}

/** What video devices there are. */
export async function checkDevices(configuration: Configuration): Promise<readonly Finding[]> {
  const known = await namesOfKernel();
  const paths = [...new Set([...known.keys(), ...configuredDevices(configuration)])].slice(0, devicesMax);
  if (paths.length === 0) return [good(subject, 'no video device (Video4Linux)')];
  const loaded = loadAddon();
  if ('missing' in loaded) {
    const named = paths.map(each => `${each} (${known.get(each) ?? 'unknown'})`).join(', ');
    const advice =
      'run npm run build:native to use them by --source v4l2:DEVICE and to see their formats here';
    return [warning(subject, `${named}; the native addon is missing: ${loaded.missing}`, advice)];
  }
  const asked = paths.map(each => ask(loaded.addon.v4l2, each));
  const devices = asked.filter((each): each is VideoDevice => !('failed' in each));
  return asked.map(each =>
    'failed' in each
      ? warning(
          subject,
          each.failed,
          'add the user that runs the camera to the group video, or plug it in again',
        )
      : good(subject, describe(each, devices)),
  );
}

async function namesOfKernel(): Promise<Map<string, string>> {
  const names = await readdir(deviceFolder).catch(() => []);
  const titled = names.sort().map(async name => {
    const title = await readFile(path.join(deviceFolder, name, 'name'), 'utf8').catch(() => '');
    return [`/dev/${name}`, title.trim()] as const;
  });
  return new Map(await Promise.all(titled));
}

function configuredDevices({ source, subSource }: Configuration): string[] {
  return [source, subSource].flatMap(text => {
    const options = v4l2OptionsOf(text);
    if (!options) return [];
    return options.encoder === undefined ? [options.device] : [options.device, options.encoder];
  });
}

function ask(binding: V4l2Binding, devicePath: string): VideoDevice | { readonly failed: string } {
  let device: V4l2Device | undefined;
  try {
    device = new V4l2Device(binding, devicePath);
    return examine(device);
  } catch (error) {
    return { failed: `${devicePath} does not answer (${error instanceof Error ? error.message : error})` };
  } finally {
    device?.close();
  }
}

function examine(device: V4l2Device): VideoDevice {
  const { driver, card, capabilities } = device.queryCapabilities();
  const role = roleOf(capabilities);
  const multiPlanar = (capabilities & (Capability.videoCaptureMplane | Capability.videoM2mMplane)) !== 0;
  const capture = multiPlanar ? BufferType.videoCaptureMplane : BufferType.videoCapture;
  const output = multiPlanar ? BufferType.videoOutputMplane : BufferType.videoOutput;
  const gives = role === 'other' ? [] : device.formats(capture);
  return {
    path: device.path,
    driver,
    card,
    role,
    gives: gives.map(format => ({ ...format, sizes: sizesOf(device, format.pixelFormat) })),
    takes: role === 'encoder' ? device.formats(output) : [],
  };
}

function sizesOf(device: V4l2Device, pixelFormat: number): string {
  const sizes = device.sizes(pixelFormat).map(({ minWidth, minHeight, maxWidth, maxHeight }) => {
    const rates = device.intervals(pixelFormat, maxWidth, maxHeight).map(rateOf);
    const rate = rates.length > 0 ? `@${Math.round(Math.max(...rates))}` : '';
    const from = minWidth === maxWidth && minHeight === maxHeight ? '' : `${minWidth}x${minHeight} to `;
    return { area: maxWidth * maxHeight, text: `${from}${maxWidth}x${maxHeight}${rate}` };
  });
  sizes.sort((a, b) => b.area - a.area);
  const shown = sizes.slice(0, sizesShownMax).map(({ text }) => text);
  return [...shown, ...(sizes.length > sizesShownMax ? ['…'] : [])].join(' ');
}

function describe(device: VideoDevice, all: readonly VideoDevice[]): string {
  const { path: devicePath, driver, card, role, gives, takes } = device;
  const named = `${devicePath} (${driver}, ${card})`;
  if (role === 'other') return `${named}: no camera`;
  const given = gives
    .map(({ pixelFormat, sizes }) => `${fourccText(pixelFormat)} ${sizes}`.trim())
    .join('; ');
  if (role === 'camera')
    return `${named}: camera, gives ${given || 'nothing'}; use ${sourceFor(device, all)}`;
  if (codedFormatsOf(gives).length === 0)
    return `${named}: no encoder (takes ${listFormats(takes)}, gives ${listFormats(gives)})`;
  return `${named}: encoder, takes ${listFormats(takes)}, gives ${listFormats(codedFormatsOf(gives))}; use ?encoder=${devicePath}`;
}

/** The value of --source for a camera. */
function sourceFor(camera: VideoDevice, all: readonly VideoDevice[]): string {
  if (chooseCoded(camera.gives, undefined)) return `--source v4l2:${camera.path}`;
  const encoder = all.find(
    ({ role, gives, takes }) =>
      role === 'encoder' && chooseCoded(gives, undefined) && chooseRaw(camera.gives, takes) !== undefined,
  );
  return encoder
    ? `--source 'v4l2:${camera.path}?encoder=${encoder.path}'`
    : `--source 'command:ffmpeg -loglevel error -f v4l2 -i ${camera.path} -c:v libx264 -tune zerolatency -bf 0 -g 60 -f h264 -'`;
}
