/** A worker whose stage does, good or bad, what the tests tell it; the modes act at its start. */
import { CameraError } from '../../../src/base/errors.ts';
import type { WorkerCommand } from '../../../src/ipc/messages.ts';
import type { WorkerData } from '../../../src/ipc/worker-data.ts';
import { runWorker } from '../../../src/ipc/worker-port.ts';

export type PuppetMode =
  | 'well'
  | 'never-ready'
  | 'slow-start'
  | 'throws'
  | 'config-invalid'
  | 'exits'
  | 'deaf'
  | 'stop-throws';

export interface PuppetData extends WorkerData {
  readonly mode?: PuppetMode;
  /** Starts of all lives, counted at index 0; at its `wellFrom`-th one a life is well whatever the mode. */
  readonly lives?: Int32Array;
  readonly wellFrom?: number;
}

export type PuppetRequest =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'reject' }
  | { readonly kind: 'unclonable' };

export type PuppetCommand =
  | WorkerCommand
  | {
      readonly type:
        | 'exit'
        | 'throw'
        | 'reject'
        | 'loop'
        | 'out-of-memory'
        | 'print'
        | 'log'
        | 'unclonable'
        | 'fail';
    }
  | { readonly type: 'say'; readonly value: unknown }
  | { readonly type: 'request'; readonly id: number; readonly request: PuppetRequest };

export type PuppetReport = { readonly type: 'said'; readonly value: unknown };

runWorker<PuppetData, PuppetCommand, PuppetReport>(async (data, context) => {
  const life = data.lives ? Atomics.add(data.lives, 0, 1) + 1 : 1;
  const mode = data.wellFrom !== undefined && life >= data.wellFrom ? 'well' : (data.mode ?? 'well');
  if (mode === 'never-ready') await new Promise(() => {});
  if (mode === 'slow-start') {
    // Beats a little, then blocks for longer than its beats may be missed, as a big file's table of contents does.
    await new Promise(resolve => setTimeout(resolve, 60));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  }
  if (mode === 'throws') throw new CameraError('source-failed', 'no lens', { life });
  if (mode === 'config-invalid') throw new CameraError('config-invalid', 'no such source');
  if (mode === 'exits') process.exit(7);
  let timesLeft = 0;
  return {
    command(command) {
      switch (command.type) {
        case 'exit':
          process.exit(3);
          break;
        case 'throw':
          throw new TypeError('thrown on purpose');
        case 'reject':
          void Promise.reject(new RangeError('rejected on purpose'));
          break;
        case 'fail':
          context.fail(new CameraError('source-failed', 'failed on purpose'));
          break;
        case 'loop':
          for (;;) timesLeft++;
        case 'out-of-memory': {
          const hoard: unknown[] = [];
          for (;;) hoard.push(new Array(1000).fill(timesLeft++));
        }
        case 'print':
          console.log('printed on purpose');
          break;
        case 'log':
          context.logger.warn('logged on purpose', { worker: 'false name', n: 1 });
          break;
        case 'unclonable':
          context.report({ type: 'said', value: () => {} });
          break;
        case 'say':
          context.report({ type: 'said', value: command.value });
      }
    },
    async request(request) {
      if (request.kind === 'reject') throw new CameraError('viewer-limit', 'full', { viewers: 16 });
      return request.kind === 'echo' ? request.value : () => {};
    },
    stats: () => ({ values: { life } }),
    async stop() {
      if (mode === 'deaf') await new Promise(() => {});
      if (mode === 'stop-throws') throw new Error('cannot let go');
      if (data.lives) Atomics.add(data.lives, 1, 1);
    },
  };
});
