/**
 * RAUC (rauc.io), by its command line: the payload of an image is a bundle (`.raucb`), which RAUC checks once more with
 * its own keys. Its slots are those of its `system.conf`; the boot loader counts the starts, and `mark-good` ends the
 * trial. The document of `rauc status --output-format=json` is read leniently: versions of RAUC add to it.
 */
import { CameraError } from '../base/errors.ts';
import type { SlotView } from './back-end.ts';
import { installTimeoutMs, questionTimeoutMs, runTool } from './run-tool.ts';
import type { SlotTool, ToolStatus } from './slot-tool.ts';

/** The tool. @param programs for tests. */
export function raucTool(programs: { readonly rauc?: string; readonly reboot?: string } = {}): SlotTool {
  const { rauc = 'rauc', reboot = 'reboot' } = programs;
  const run = (args: readonly string[], timeoutMs = questionTimeoutMs): Promise<string> =>
    runTool(rauc, args, { timeoutMs });
  const mark = async (...args: string[]): Promise<void> => {
    await run(['status', ...args]);
  };
  return {
    kind: 'rauc',
    status: async () => raucStatusOf(await run(['status', '--detailed', '--output-format=json'])),
    async install(file) {
      await run(['install', file], installTimeoutMs);
    },
    markGood: () => mark('mark-good'),
    async markBad() {
      await mark('mark-bad');
      await mark('mark-active', 'other');
    },
    activateOther: () => mark('mark-active', 'other'),
    async restart() {
      await runTool(reboot, [], { timeoutMs: questionTimeoutMs });
    },
  };
}

interface RaucSlot {
  readonly bootname?: string | null;
  readonly state?: string;
  readonly boot_status?: string | null;
  readonly slot_status?: { readonly bundle?: { readonly version?: string } };
}

/** What RAUC's document says of the slots that can be booted. Throws `firmware-tool-failed` for another document. */
export function raucStatusOf(text: string): ToolStatus {
  let document: { booted?: string; slots?: readonly Readonly<Record<string, RaucSlot>>[] };
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new CameraError('firmware-tool-failed', 'rauc status writes no JSON', {}, { cause });
  }
  const { booted, slots } = document ?? {};
  if (typeof booted !== 'string' || !Array.isArray(slots))
    throw new CameraError('firmware-tool-failed', 'rauc status does not name the slot that runs');
  const views = slots.flatMap(slot =>
    Object.values(slot as Readonly<Record<string, RaucSlot>>)
      .filter(({ bootname }) => bootname)
      .map((found): SlotView => {
        const version = found.slot_status?.bundle?.version ?? null;
        const state = found.boot_status === 'good' ? 'good' : found.boot_status === 'bad' ? 'bad' : 'unknown';
        return { name: found.bootname!, version, state };
      }),
  );
  return {
    activeSlot: booted,
    slots: views,
    previous: views.find(({ name, state }) => name !== booted && state === 'good'),
  };
}
