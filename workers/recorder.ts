/** Entry of the recorder thread; everything it does is in src/recorder/recorder-stage.ts. */
import type { RecorderCommand, RecorderReport } from '../src/ipc/messages.ts';
import type { RecorderWorkerData } from '../src/ipc/worker-data.ts';
import { runWorker } from '../src/ipc/worker-port.ts';
import { startRecorder } from '../src/recorder/recorder-stage.ts';

runWorker<RecorderWorkerData, RecorderCommand, RecorderReport>(startRecorder);
