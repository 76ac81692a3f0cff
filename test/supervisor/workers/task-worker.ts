/** A thread of the task pool that does what its tests tell it. */
import { threadId } from 'node:worker_threads';
import { CameraError, reportOf } from '../../../src/base/errors.ts';
import { enterNative, leaveNative } from '../../../src/ipc/native-section.ts';
import type { TaskMessage, TaskOutcome } from '../../../src/ipc/tasks.ts';

/** What the tests send in place of a request. */
export interface PuppetTask {
  readonly act: 'answer' | 'wait' | 'compute' | 'throw' | 'refuse' | 'exit' | 'die' | 'loop' | 'hoard';
  /** [0]: 1 lets the waiting ones go; [1]: tasks that have begun; [2]: tasks under way; [3]: the most of them at once. */
  readonly gate?: Int32Array;
}

export default async function run({ request, section }: TaskMessage): Promise<TaskOutcome> {
  const { act, gate } = request as unknown as PuppetTask;
  if (gate) {
    Atomics.add(gate, 1, 1);
    const underWay = Atomics.add(gate, 2, 1) + 1;
    if (underWay > Atomics.load(gate, 3)) Atomics.store(gate, 3, underWay);
  }
  switch (act) {
    case 'wait':
      await (Atomics.waitAsync(gate!, 0, 0) as { value: Promise<string> | string }).value;
      break;
    case 'compute':
      enterNative(section);
      await (Atomics.waitAsync(gate!, 0, 0) as { value: Promise<string> | string }).value;
      leaveNative(section);
      break;
    case 'refuse':
      return { error: reportOf(new CameraError('accounts-damaged', 'refused on purpose', { n: 1 })) };
    case 'throw':
      throw new TypeError('thrown on purpose');
    case 'exit':
      process.exit(3);
      break;
    case 'die':
      setImmediate(() => {
        throw new RangeError('died on purpose');
      });
      await new Promise(() => {});
      break;
    case 'loop':
      for (;;) Atomics.load(gate!, 0);
    case 'hoard': {
      const hoard: unknown[] = [];
      for (;;) hoard.push(new Array(1000).fill(hoard.length));
    }
  }
  if (gate) Atomics.sub(gate, 2, 1);
  return { reply: { phc: `thread ${threadId}`, hashMs: 0 } };
}
