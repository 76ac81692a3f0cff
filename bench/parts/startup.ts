/**
 * How long until the camera serves, and until a viewer has a picture? The real command line as a child process.
 *
 * `startup`: from the start of the process to the line that says that it serves. `firstframe`: from the offer to the last
 * packet of the first whole, authentic random access point; DTLS, ICE and the answer are in it.
 */
import type { BenchContext, Part } from '../context.ts';
import type { PartName } from '../part-names.ts';
import { Camera } from '../support/camera.ts';
import { sourceFlags } from '../support/material.ts';
import { Receiver } from '../support/receiver.ts';

export const startupPart: Part = {
  names: ['startup', 'firstframe'],
  async run(context, wanted) {
    if (wanted.has('startup')) await measureStartup(context);
    if (wanted.has('firstframe')) await measureFirstFrame(context, 'firstframe');
  },
};

async function measureStartup(context: BenchContext): Promise<void> {
  const readyMs: number[] = [];
  const cpuMs: number[] = [];
  const count = context.pick(2, 7);
  for (let i = 0; i < count; i++) {
    context.progress(`start ${i + 1} of ${count}`);
    const camera = await Camera.start(context, ['--recorder-guard', 'off'], { isClaimed: false });
    readyMs.push(camera.readyMs);
    cpuMs.push(camera.readyCpuSeconds * 1000);
    await camera.stop();
  }
  context.add('startup', {
    id: 'startup.ready',
    name: 'from the start of the process to "ready"',
    unit: 'ms',
    better: 'lower',
    samples: readyMs,
  });
  context.add('startup', {
    id: 'startup.cpu',
    name: 'CPU until then',
    unit: 'ms',
    better: 'lower',
    samples: cpuMs,
  });
}

async function measureFirstFrame(context: BenchContext, part: PartName): Promise<void> {
  context.progress('starting a camera');
  const camera = await Camera.start(context, [...sourceFlags(context), '--recorder-enabled', 'false']);
  try {
    await camera.pictures();
    const samples: number[] = [];
    const count = context.pick(6, 30);
    for (let i = 0; i < count; i++) {
      context.progress(`viewer ${i + 1} of ${count}`);
      const receiver = await Receiver.open(camera);
      try {
        samples.push(await receiver.firstPicture);
      } finally {
        await receiver.close();
      }
    }
    context.add(part, {
      id: 'firstframe.picture',
      name: 'from the offer to the first whole picture',
      unit: 'ms',
      better: 'lower',
      samples,
    });
  } finally {
    await camera.stop();
  }
}
