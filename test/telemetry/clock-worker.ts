/** Answers every message with this thread's monotonic time. */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../src/telemetry/system-clock.ts';

parentPort?.on('message', () => parentPort?.postMessage(systemClock.monoUs()));
