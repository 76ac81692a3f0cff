/** A program of the device that keeps its slots: RAUC, or what the maker of the board brings. */
import type { SlotView } from './back-end.ts';

/** What the program says of the slots. */
export interface ToolStatus {
  /** The slot that runs. */
  readonly activeSlot: string;
  readonly slots: readonly SlotView[];
  /** The good slot that does not run, if there is one. */
  readonly previous: SlotView | undefined;
}

/** All methods reject with CameraError `firmware-tool-failed`. */
export interface SlotTool {
  readonly kind: 'rauc' | 'command';
  status(): Promise<ToolStatus>;
  /** Installs a file into the slot that does not run, and makes it what is started next. */
  install(file: string, version: string): Promise<void>;
  /** What runs is good. */
  markGood(): Promise<void>;
  /** What runs is bad; the other is started next. */
  markBad(): Promise<void>;
  /** The other is started next. */
  activateOther(): Promise<void>;
  /** Restarts the device. */
  restart(): Promise<void>;
}
