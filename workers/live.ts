/** The live worker's thread: the ring's frames to every viewer (src/live/live-stage.ts). */
import type { LiveCommand, LiveReport } from '../src/ipc/messages.ts';
import type { LiveWorkerData } from '../src/ipc/worker-data.ts';
import { runWorker } from '../src/ipc/worker-port.ts';
import { LiveStage } from '../src/live/live-stage.ts';

runWorker<LiveWorkerData, LiveCommand, LiveReport>(async ({ ring, live }, context) => {
  const stage = new LiveStage({ ...context, ring, live });
  await stage.start();
  return stage;
});
