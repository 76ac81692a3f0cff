/**
 * A board's own program for its slots: `PROGRAM VERB …`, status 0 for success, a line on standard error for what failed.
 *
 *     status                  writes {"active": "A", "slots": [{"name": "A", "version": "1.2.0", "state": "good"}, …]}
 *     install FILE VERSION    installs a verified payload into the other slot and makes it what is started next
 *     mark-good | mark-bad    what runs has proved itself, or has not: then the other is started next
 *     activate-other          the other is started next
 *     restart                 restarts the device
 */
import { CameraError } from '../base/errors.ts';
import type { SlotView } from './back-end.ts';
import { installTimeoutMs, questionTimeoutMs, runTool } from './run-tool.ts';
import type { SlotTool, ToolStatus } from './slot-tool.ts';

const states: ReadonlySet<unknown> = new Set(['empty', 'untried', 'good', 'bad', 'unknown']);

/** The tool behind a program's path. */
export function boardTool(program: string): SlotTool {
  const order = async (...args: string[]): Promise<void> => {
    await runTool(program, args, { timeoutMs: args[0] === 'install' ? installTimeoutMs : questionTimeoutMs });
  };
  return {
    kind: 'command',
    status: async () =>
      statusOf(program, await runTool(program, ['status'], { timeoutMs: questionTimeoutMs })),
    install: (file, version) => order('install', file, version),
    markGood: () => order('mark-good'),
    markBad: () => order('mark-bad'),
    activateOther: () => order('activate-other'),
    restart: () => order('restart'),
  };
}

function statusOf(program: string, text: string): ToolStatus {
  let value: { active?: unknown; slots?: unknown };
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CameraError('firmware-tool-failed', `${program} status writes no JSON`, {}, { cause });
  }
  const { active, slots } = value ?? {};
  if (typeof active !== 'string' || !Array.isArray(slots) || !slots.every(isSlot))
    throw new CameraError('firmware-tool-failed', `${program} status does not say what it should`);
  return {
    activeSlot: active,
    slots,
    previous: slots.find(({ name, state }) => name !== active && state === 'good'),
  };
}

function isSlot(value: unknown): value is SlotView {
  const { name, version, state } = (value ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && (version === null || typeof version === 'string') && states.has(state);
}
