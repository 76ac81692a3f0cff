/** Runs the tasks of the pool in the thread of the test, one after the other, and counts them. */
import { hashPassword, verifyPassword } from '../../src/auth/argon2-tasks.ts';
import { CameraError } from '../../src/base/errors.ts';
import type {
  TaskKind,
  TaskReplies,
  TaskRequests,
  TaskRunner,
  VerifyPasswordRequest,
} from '../../src/ipc/tasks.ts';

/** Cheap enough for hundreds of hashes. */
export const cheapCost = { argon2MemoryKib: 1024, argon2Iterations: 2, argon2Parallelism: 1 };

export class DirectTasks implements TaskRunner {
  readonly requests: { kind: TaskKind; request: TaskRequests[TaskKind] }[] = [];
  isBusy = false;

  async run<Kind extends TaskKind>(kind: Kind, request: TaskRequests[Kind]): Promise<TaskReplies[Kind]> {
    this.requests.push({ kind, request });
    if (this.isBusy) throw new CameraError('hashing-busy', 'busy on purpose');
    const task = kind === 'hash-password' ? hashPassword : verifyPassword;
    return (await task(request as never)) as TaskReplies[Kind];
  }

  get lastVerify(): VerifyPasswordRequest {
    return this.requests.at(-1)!.request as VerifyPasswordRequest;
  }
}
