/**
 * What does a packet cost until it is out of the camera, by data plane? Encryption and the kernel's part, through the
 * sockets of a viewer (peer/ice-base.ts), to a socket on the loopback address that nobody reads.
 *
 * CPU of this process by the kernel's count, with the system calls: on the loopback the receiving half of the path, up to the
 * full buffer of the receiver, is counted too, for every plane alike. A turn of the event loop follows each picture, as in
 * the camera, because node:dgram finishes its sends there.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { UdpBase } from '../../src/live/peer/ice-base.ts';
import type { DatagramTarget, DataPlane } from '../../src/native/data-plane.ts';
import type { BenchContext, Part } from '../context.ts';
import { planesOf, runOf, srtpProfiles, streamOptions } from '../support/planes.ts';
import { cpuMicroseconds } from '../support/process-usage.ts';

/** Pictures of a sample, and samples. */
const quickPictures = 300;
const wholePictures = 2000;
const quickSamples = 5;
const wholeSamples = 15;
const address = '127.0.0.1';

export const sendPart: Part = {
  names: ['send'],
  async run(context) {
    for (const plane of planesOf(context))
      for (const profile of srtpProfiles) {
        context.progress(`${plane.name}, ${profile.name}`);
        const samples = await measureSending(context, plane, profile);
        context.add('send', {
          id: `send.${plane.name}.${profile.id}`,
          name: `${plane.name}, ${profile.name}, a packet encrypted and sent`,
          unit: 'µs CPU',
          better: 'lower',
          samples,
        });
      }
  },
};

async function measureSending(
  context: BenchContext,
  plane: DataPlane,
  profile: (typeof srtpProfiles)[number],
): Promise<number[]> {
  const sink = new Worker(sinkProgram, { eval: true });
  const [port] = (await once(sink, 'message')) as [number];
  const base = await UdpBase.open(address, 0, () => {});
  try {
    const stream = plane.openStream(
      streamOptions(profile, {
        send: packet => base.send(packet, port, address),
        target: targetOf(base, port),
      }),
    );
    const { run, advance } = runOf(true);
    const pictures = context.pick(quickPictures, wholePictures);
    const samples: number[] = [];
    // The first one warms up.
    for (let sample = -1; sample < context.pick(quickSamples, wholeSamples); sample++) {
      context.signal.throwIfAborted();
      const before = cpuMicroseconds();
      for (let i = 0; i < pictures; i++) {
        plane.send(stream, run);
        advance();
        await turn();
      }
      if (sample >= 0) samples.push((cpuMicroseconds() - before) / (pictures * run.packetCount));
    }
    return samples;
  } finally {
    await base.close();
    await sink.terminate();
  }
}

/** A socket that is bound and never read, because its thread sleeps: what comes is dropped when the buffer is full. */
const sinkProgram = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind(0, '${address}', () => {
    require('node:worker_threads').parentPort.postMessage(socket.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });`;

/** As Peer gives it: the same object for as long as nothing changed. */
function targetOf(base: UdpBase, port: number): () => DatagramTarget | undefined {
  let target: DatagramTarget | undefined;
  return () => {
    const fd = base.descriptor;
    if (fd === undefined) return undefined;
    if (target?.fd !== fd) target = { fd, address, port };
    return target;
  };
}
