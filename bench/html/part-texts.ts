/** What the report says above the figures of each part. Pure data. */
import type { PartName } from '../part-names.ts';

const texts: Readonly<Record<PartName, { readonly title: string; readonly text: string }>> = {
  ring: {
    title: 'Frame ring',
    text: 'Pictures go from the camera to viewers and recorder through shared memory, and are copied once. Beside the bare copy it shows what the ring adds.',
  },
  annexb: {
    title: 'Reading the encoder',
    text: 'The stream of an encoder is searched for start codes and cut into pictures. 8 Mbit/s are 0.001 GB/s.',
  },
  payloaders: {
    title: 'Splitting pictures into packets',
    text: 'Done once for all viewers: only offsets are written, nothing is copied.',
  },
  srtp: {
    title: 'Encryption',
    text: 'Of one packet, by data plane and SRTP profile; a viewer of 8 Mbit/s takes some 900 packets a second.',
  },
  send: {
    title: 'Encryption and sending',
    text: 'CPU of one packet until the kernel has it. On the loopback address the receiving half of the kernel is in it, for both planes alike.',
  },
  index: {
    title: 'Index of the recordings',
    text: 'How quickly a moment is found, and how long a durable commit takes on this disk.',
  },
  startup: { title: 'Start', text: 'The whole camera, from the start of its process until it serves.' },
  firstframe: {
    title: 'First picture',
    text: 'From a viewer’s offer until a whole picture that can be decoded is there: handshakes included, decoding not.',
  },
  viewers: {
    title: 'Live viewers',
    text: 'CPU of the whole camera with its source and the kernel’s work. Viewers of one core leave no room for anything else; half of it is a sound plan.',
  },
  latency: {
    title: 'Delay within the camera',
    text: 'From the capture of a picture to its last packet, step by step, while all viewers watch. Of each step the middle, and the slowest in twenty and in a hundred.',
  },
  memory: {
    title: 'Memory',
    text: 'RSS counts shared pages in full, PSS in shares; heaps are what JavaScript holds in each part.',
  },
  recorder: {
    title: 'Recording',
    text: 'CPU on top of a camera that does not record, and bytes written for each byte recorded.',
  },
  clips: {
    title: 'Downloads of recordings',
    text: 'One download at a time on the loopback address while the camera records; its own work for that is taken off.',
  },
};

/** By the name of a part. */
export const partTexts: Readonly<
  Record<string, { readonly title: string; readonly text: string } | undefined>
> = texts;
