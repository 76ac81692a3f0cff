/**
 * What does encryption cost a packet, by data plane and SRTP profile? The plane does all it does for a viewer but sending: the
 * frame is said to be torn after it was encrypted, which is the one case in which nothing is sent.
 */
import type { Part } from '../context.ts';
import { type MicroCase, measureCases, microseconds } from '../support/micro-benchmark.ts';
import { planesOf, runOf, srtpProfiles, streamOptions } from '../support/planes.ts';

export const srtpPart: Part = {
  names: ['srtp'],
  async run(context) {
    const cases = planesOf(context).flatMap(plane =>
      srtpProfiles.map((profile): MicroCase => {
        const stream = plane.openStream(streamOptions(profile, { send: () => {} }));
        const { run, advance } = runOf(false);
        return {
          id: `srtp.${plane.name}.${profile.id}`,
          name: `${plane.name}, ${profile.name}, a packet of 1200 bytes`,
          unit: 'µs',
          better: 'lower',
          scale: microseconds(run.packetCount),
          run() {
            plane.send(stream, run);
            advance();
          },
        };
      }),
    );
    await measureCases(context, 'srtp', cases);
  },
};
