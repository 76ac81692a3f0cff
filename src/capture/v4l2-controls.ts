/**
 * Sets the controls of a V4L2 encoder for live video, and asks for key frames.
 *
 * Linux media documentation, "Codec Control Reference". Wanted: a steady bitrate that networks can plan with, no B
 * pictures (each would cost a frame period of delay), a key frame every so often with its parameter sets, no access unit
 * delimiters (they would have to be cut away again). A device that lacks a control, or refuses a value, is used as it
 * is; what matters of that is said once. Capture thread only.
 */
import { Codec, type VideoCodec } from '../base/tracks.ts';
import type { V4l2Device } from '../native/v4l2.ts';
import { ControlFlag, ControlId, ControlItem } from '../native/v4l2-constants.ts';

/** The part of a device that controls need. */
export type ControlledDevice = Pick<V4l2Device, 'queryControl' | 'setControl'>;

export interface EncoderSettings {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly fps: number;
  /** Undefined: by size and rate. */
  readonly bitrateKbps?: number | undefined;
  readonly keyframeSeconds: number;
}

/** Bits a pixel: 1080p30 gets 4.4 Mbit/s, 720p30 1.9 Mbit/s, which hardware encoders need for clean walls and skies. */
const bitsPerPixel = 0.07;
const bitrateMin = 256_000;
const bitrateMax = 20_000_000;

/** Macroblocks a second up to which H.264 level 4.0 goes (table A-1), and the levels above with their menu items. */
const h264Levels: readonly (readonly [macroblocksPerSecond: number, item: number])[] = [
  [245_760, 11],
  [522_240, 13],
  [589_824, 14],
  [983_040, 15],
];

/** Sets everything; returns what the device cannot do, in words, empty when all is well. */
export function applyEncoderControls(device: ControlledDevice, settings: EncoderSettings): readonly string[] {
  const groupPictures = Math.max(1, Math.round(settings.keyframeSeconds * settings.fps));
  const set = (id: number, value: number) => setControl(device, id, value);
  set(ControlId.frameRateControlEnable, 1);
  set(ControlId.bitrateMode, ControlItem.bitrateModeConstant);
  set(ControlId.bFrames, 0);
  set(ControlId.accessUnitDelimiter, 0);
  set(ControlId.headerMode, ControlItem.headerJoinedWithFirstFrame);
  set(ControlId.repeatSequenceHeader, 1);
  set(ControlId.prependParameterSetsToIdr, 1);
  if (settings.codec === Codec.h264) {
    set(ControlId.h264Profile, ControlItem.h264ProfileHigh);
    const level = h264LevelOf(settings);
    if (level !== undefined) set(ControlId.h264Level, level);
  } else {
    set(ControlId.hevcProfile, ControlItem.hevcProfileMain);
  }
  const bitrateIsSet = set(ControlId.bitrate, bitrateOf(settings));
  // Drivers have the one or the other; where both are, they mean the same.
  const groupIsSet = [ControlId.gopSize, ControlId.h264IPeriod]
    .map(id => set(id, groupPictures))
    .includes(true);
  const missing: string[] = [];
  if (!bitrateIsSet) missing.push('bitrate');
  if (!groupIsSet) missing.push('key frame interval');
  if (!device.queryControl(ControlId.forceKeyFrame)) missing.push('key frames on demand');
  return missing;
}

/** Asks the device for a key frame; whether it could be asked. */
export function forceKeyFrame(device: ControlledDevice): boolean {
  try {
    device.setControl(ControlId.forceKeyFrame, 1);
    return true;
  } catch {
    return false;
  }
}

/** Bits a second to ask for. */
export function bitrateOf({ bitrateKbps, width, height, fps }: EncoderSettings): number {
  if (bitrateKbps !== undefined) return bitrateKbps * 1000;
  return Math.round(Math.min(Math.max(width * height * fps * bitsPerPixel, bitrateMin), bitrateMax));
}

/** The menu item of the level that size and rate need, where that is more than 4.0, which is the usual default. */
function h264LevelOf({ width, height, fps }: EncoderSettings): number | undefined {
  const needed = Math.ceil(width / 16) * Math.ceil(height / 16) * fps;
  const found = h264Levels.findIndex(([macroblocksPerSecond]) => needed <= macroblocksPerSecond);
  if (found === 0) return undefined;
  return (h264Levels[found] ?? h264Levels.at(-1)!)[1];
}

/** Whether the control is there and took the value, brought into its range. */
function setControl(device: ControlledDevice, id: number, value: number): boolean {
  const control = device.queryControl(id);
  if (!control || control.flags & (ControlFlag.disabled | ControlFlag.readOnly)) return false;
  const { minimum, maximum, step } = control;
  const clamped = Math.min(Math.max(value, minimum), maximum);
  const stepped = step > 1 ? minimum + Math.floor((clamped - minimum) / step) * step : clamped;
  try {
    device.setControl(id, stepped);
    return true;
  } catch {
    return false;
  }
}
