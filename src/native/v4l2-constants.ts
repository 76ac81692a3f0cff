/**
 * Numbers of the Video for Linux API that the camera uses, by the kernel's own names: `linux/videodev2.h` and
 * `linux/v4l2-controls.h`, which are a fixed interface. Only what is used is listed. Any thread; pure data.
 */

/** enum v4l2_buf_type. */
export const BufferType = {
  videoCapture: 1,
  videoOutput: 2,
  videoCaptureMplane: 9,
  videoOutputMplane: 10,
} as const;
export type BufferType = (typeof BufferType)[keyof typeof BufferType];

/** V4L2_CAP_…: what a device node can do. */
export const Capability = {
  videoCapture: 0x0000_0001,
  videoCaptureMplane: 0x0000_1000,
  videoM2mMplane: 0x0000_4000,
  videoM2m: 0x0000_8000,
  streaming: 0x0400_0000,
} as const;

/** V4L2_PIX_FMT_…: coded formats with start codes, and raw ones that lie in one piece of memory. */
export const PixelFormat = {
  h264: fourcc('H264'),
  hevc: fourcc('HEVC'),
  nv12: fourcc('NV12'),
  yuv420: fourcc('YU12'),
  yuyv: fourcc('YUYV'),
  uyvy: fourcc('UYVY'),
} as const;

/** V4L2_BUF_FLAG_…. */
export const BufferFlag = {
  error: 0x0000_0040,
  timestampMask: 0x0000_e000,
  timestampMonotonic: 0x0000_2000,
  timestampCopy: 0x0000_4000,
} as const;

/** V4L2_CID_MPEG_VIDEO_…. */
export const ControlId = {
  bFrames: 0x0099_09ca,
  gopSize: 0x0099_09cb,
  bitrateMode: 0x0099_09ce,
  bitrate: 0x0099_09cf,
  frameRateControlEnable: 0x0099_09d7,
  headerMode: 0x0099_09d8,
  repeatSequenceHeader: 0x0099_09e2,
  forceKeyFrame: 0x0099_09e5,
  accessUnitDelimiter: 0x0099_09e7,
  h264IPeriod: 0x0099_0a66,
  h264Level: 0x0099_0a67,
  h264Profile: 0x0099_0a6b,
  hevcProfile: 0x0099_0b67,
  prependParameterSetsToIdr: 0x0099_0b84,
} as const;

/** Items of the menus behind those controls. */
export const ControlItem = {
  bitrateModeConstant: 1,
  headerJoinedWithFirstFrame: 1,
  h264ProfileHigh: 4,
  hevcProfileMain: 0,
} as const;

/** V4L2_CTRL_FLAG_…. */
export const ControlFlag = { disabled: 0x0001, readOnly: 0x0004 } as const;

/** The four letters of a pixel format, for people; other characters as a question mark. */
export function fourccText(pixelFormat: number): string {
  let text = '';
  for (let shift = 0; shift < 32; shift += 8) {
    const code = (pixelFormat >>> shift) & 0x7f;
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
  }
  return text.trimEnd();
}

function fourcc(letters: string): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = value * 256 + letters.charCodeAt(i);
  return value;
}
