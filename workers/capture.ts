/** Entry of the capture thread; everything it does is in src/capture/capture-stage.ts. */
import { startCapture } from '../src/capture/capture-stage.ts';
import type { CaptureCommand, CaptureReport } from '../src/ipc/messages.ts';
import type { CaptureWorkerData } from '../src/ipc/worker-data.ts';
import { runWorker } from '../src/ipc/worker-port.ts';

runWorker<CaptureWorkerData, CaptureCommand, CaptureReport>(startCapture);
