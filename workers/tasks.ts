/** A thread of the task pool: piscina calls the default export for every task; what a task does lies in its own folder. */
import { hashPassword, verifyPassword } from '../src/auth/argon2-tasks.ts';
import { CameraError, reportOf } from '../src/base/errors.ts';
import type { NativeSection } from '../src/ipc/native-section.ts';
import type { TaskKind, TaskMessage, TaskOutcome, TaskReplies, TaskRequests } from '../src/ipc/tasks.ts';
import { readSamples } from '../src/recorder/read-samples.ts';

type Task<Kind extends TaskKind> = (
  request: TaskRequests[Kind],
  section: NativeSection,
) => Promise<TaskReplies[Kind]>;

const tasks: { readonly [Kind in TaskKind]: Task<Kind> } = {
  'hash-password': hashPassword,
  'verify-password': verifyPassword,
  'read-samples': readSamples,
};

export default async function run({ kind, request, section }: TaskMessage): Promise<TaskOutcome> {
  try {
    const task = tasks[kind] as Task<TaskKind> | undefined;
    if (!task) throw new CameraError('internal', `there is no task ${kind}`);
    return { reply: await task(request as never, section) };
  } catch (error) {
    return { error: reportOf(error) };
  }
}
