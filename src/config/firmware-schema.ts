/**
 * The configuration of firmware upgrades: whose images are taken, and where they go. Pure data.
 */
import { pathOrNothing, textMax } from './text-limits.ts';
import type { GroupSchema } from './value-schema.ts';

/** Keys of `firmware`. */
export const firmwareSchema: GroupSchema = {
  type: 'object',
  description: 'Firmware upgrades',
  default: {},
  additionalProperties: false,
  properties: {
    keys: {
      type: 'array',
      description:
        'Public keys that firmware images may be signed with: files, or folders of *.pub files, comma-separated; ' +
        'without one every upgrade is refused.',
      title: 'paths',
      default: [],
      items: { type: 'string', format: 'path' },
      maxItems: 16,
      uniqueItems: true,
    },
    developmentKey: {
      type: 'boolean',
      description:
        'Also take images signed with the development key, which everybody has: never on a camera in use.',
      default: false,
    },
    backEnd: {
      type: 'string',
      description:
        'Where images go. files: two folders of slots, which opencamerad starts itself; rauc: to RAUC, as bundles; ' +
        "command: to the board's own program.",
      default: 'files',
      enum: ['files', 'rauc', 'command'],
    },
    slots: {
      type: 'string',
      description: 'Folder of the slots; if empty, the folder "firmware" in the state folder.',
      title: 'the path of a folder, or nothing',
      default: '',
      pattern: pathOrNothing,
      maxLength: textMax,
    },
    command: {
      type: 'string',
      description:
        "The board's own program for the back end command; docs/FIRMWARE.md says how it is called.",
      title: 'the path of a program, or nothing',
      default: '',
      pattern: pathOrNothing,
      maxLength: textMax,
    },
    board: {
      type: 'string',
      description: 'Name of this board; only images for it are taken. If empty, as linux-arm64.',
      title: 'a name of lower-case letters, digits and . _ -, or nothing',
      default: '',
      pattern: '^([a-z0-9][a-z0-9._-]{0,63})?$',
    },
    allowDowngrade: {
      type: 'boolean',
      description: 'Also take images that are older than what ran here, and the version that runs.',
      default: false,
    },
    maxImageMb: {
      type: 'integer',
      description: 'Megabytes of an image at most.',
      default: 512,
      minimum: 1,
      maximum: 1024,
    },
    trialSeconds: {
      type: 'integer',
      description:
        'Within so many seconds a new version must give pictures, record and answer, or the old one is back.',
      default: 180,
      minimum: 10,
      maximum: 3600,
    },
    uploadsPerHour: {
      type: 'integer',
      description: 'Uploads an hour of one address.',
      default: 3,
      minimum: 1,
      maximum: 1_000_000,
    },
  },
};
