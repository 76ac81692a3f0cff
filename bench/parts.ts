/** The parts of a run, in its order. */
import type { Part } from './context.ts';
import { annexbPart } from './parts/annexb.ts';
import { indexPart } from './parts/index.ts';
import { payloadersPart } from './parts/payloaders.ts';
import { recorderPart } from './parts/recorder.ts';
import { ringPart } from './parts/ring.ts';
import { sendPart } from './parts/send.ts';
import { srtpPart } from './parts/srtp.ts';
import { startupPart } from './parts/startup.ts';
import { viewersPart } from './parts/viewers.ts';

/** Each name of part-names.ts is in one of them. */
export const parts: readonly Part[] = [
  ringPart,
  annexbPart,
  payloadersPart,
  srtpPart,
  sendPart,
  indexPart,
  startupPart,
  viewersPart,
  recorderPart,
];
