/**
 * The configuration of the recorder: what is recorded, how much of it is kept, and what a card must be. Pure data.
 */
import type { GroupSchema } from './value-schema.ts';

/** Keys of `recorder`. */
export const recorderSchema: GroupSchema = {
  type: 'object',
  description: 'Recorder',
  default: {},
  additionalProperties: false,
  properties: {
    enabled: { type: 'boolean', description: 'Whether the camera records at all.', default: true },
    streams: {
      type: 'string',
      description: 'Which video is recorded.',
      default: 'main',
      enum: ['main', 'sub', 'both'],
    },
    segmentSeconds: {
      type: 'integer',
      description: 'Length of a file; files begin at whole multiples of it on the clock.',
      default: 300,
      minimum: 10,
      maximum: 3600,
    },
    maxLossSeconds: {
      type: 'number',
      description: 'What a power cut may cost at most; less wears the card more.',
      default: 1,
      minimum: 0.5,
      maximum: 10,
    },
    keepFreeMb: {
      type: 'integer',
      description: 'Megabytes of the card that stay free: the oldest recordings are deleted for it.',
      default: 300,
      minimum: 50,
      maximum: 1_000_000,
    },
    keepFreePercent: {
      type: 'number',
      description: 'The same in per cent of the card; the larger of both counts.',
      default: 3,
      minimum: 0,
      maximum: 90,
    },
    maxAgeDays: {
      type: 'number',
      description: 'Recordings that are older are deleted; 0: only for room.',
      default: 0,
      minimum: 0,
      maximum: 36_500,
    },
    maxGb: {
      type: 'number',
      description:
        'Gigabytes of recordings that are kept at most; 0: as much as the card holds, or 4 in the state folder.',
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
    },
    guard: {
      type: 'string',
      description:
        'Against recording onto the system when the card is missing. auto: a folder that was on a card once must be ' +
        'on one; mount: it always must be; off: anywhere.',
      default: 'auto',
      enum: ['auto', 'mount', 'off'],
    },
  },
};
