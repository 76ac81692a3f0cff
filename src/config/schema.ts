/**
 * The one JSON Schema (2020-12 vocabulary as far as used) of the configuration: every key with its meaning, default and
 * range.
 *
 * The file's keys, the names of flags and environment variables, the text of `--help` and the words of an error are all
 * made from this; a new key is added here and in configuration.ts, nowhere else. `title` names what a value must be, for
 * those keys whose range a pattern cannot tell a person. Pure data.
 */

import { firmwareSchema } from './firmware-schema.ts';
import { recorderSchema } from './recorder-schema.ts';
import { pathOrNothing, textMax } from './text-limits.ts';
import type { GroupSchema } from './value-schema.ts';
import { accountsSchema, httpSchema, httpsSchema } from './web-schema.ts';

// A NUL byte cannot be part of a path or of an argument of a process, so no text may hold one.
const path = '^[^\\u0000]+$';
const videoSource = 'demo|(file|command(\\+h26[45])?|v4l2):[^\\u0000]+';
const audioSource = 'auto|demo|(file|command|command\\+pcma):[^\\u0000]+';

/** The schema of `Configuration` (configuration.ts). */
export const configurationSchema: GroupSchema = {
  type: 'object',
  description: 'Camera',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      description:
        'Address that the web server listens on; 0.0.0.0 is every network of this machine by IPv4, :: by IPv6 too.',
      title: 'a host name or an IP address',
      default: '0.0.0.0',
      pattern: '^[A-Za-z0-9._:%-]+$',
      maxLength: 253,
    },
    port: {
      type: 'integer',
      description: 'TCP port of the web server; 0 takes a free one.',
      default: 8080,
      minimum: 0,
      maximum: 65535,
    },
    state: {
      type: 'string',
      description: 'Folder for what the camera must remember; made if it is missing.',
      title: 'the path of a folder',
      default: './data',
      pattern: path,
      maxLength: textMax,
    },
    recordings: {
      type: 'string',
      description: 'Folder of the recordings; if empty, the folder "recordings" in the state folder.',
      title: 'the path of a folder, or nothing',
      default: '',
      pattern: pathOrNothing,
      maxLength: textMax,
    },
    source: {
      type: 'string',
      description:
        'Main video: demo | file:PATH (Annex B or MP4) | command:SHELL COMMAND (Annex B on its standard output) | ' +
        'v4l2:DEVICE?OPTIONS (a Linux camera; doctor lists devices; options, joined by &: width=, height=, fps=, ' +
        'bitrateKbps=, keyframeSeconds=, codec=h264|h265, encoder=DEVICE).',
      title: 'demo, file:PATH, command:SHELL COMMAND or v4l2:DEVICE',
      default: 'demo',
      pattern: `^(${videoSource})$`,
      maxLength: textMax,
    },
    subSource: {
      type: 'string',
      description: 'A second, smaller video of the same camera, as for the main one; if empty, none.',
      title: 'demo, file:PATH, command:SHELL COMMAND, v4l2:DEVICE or nothing',
      default: '',
      pattern: `^(${videoSource})?$`,
      maxLength: textMax,
    },
    audioSource: {
      type: 'string',
      description:
        'Sound: demo | file:PATH | command:SHELL COMMAND (raw PCMU, 8 kHz) | command+pcma:SHELL COMMAND; auto is the ' +
        'demo if the video is; if empty, none.',
      title: 'auto, demo, file:PATH, command:SHELL COMMAND, command+pcma:SHELL COMMAND or nothing',
      default: 'auto',
      pattern: `^(${audioSource})?$`,
      maxLength: textMax,
    },
    sourceFps: {
      type: 'number',
      description: 'Frames a second of a source that does not tell; 0: what the stream says, else 30.',
      default: 0,
      minimum: 0,
      maximum: 240,
    },
    log: {
      type: 'object',
      description: 'Log (on standard error)',
      default: {},
      additionalProperties: false,
      properties: {
        level: {
          type: 'string',
          description: 'The least important lines that are written.',
          default: 'info',
          enum: ['debug', 'info', 'warn', 'error'],
        },
        format: {
          type: 'string',
          description: 'auto is pretty on a terminal and json elsewhere.',
          default: 'auto',
          enum: ['auto', 'json', 'pretty'],
        },
      },
    },
    ring: {
      type: 'object',
      description: 'Frame ring (the memory between capture and its readers)',
      default: {},
      additionalProperties: false,
      properties: {
        dataBytes: {
          type: 'integer',
          // 20 Mbit/s × 4 s = 10 MB; the rest is room for key frames and for readers that are late.
          description: 'Bytes of coded frames that it holds: seconds × bits per second / 8.',
          default: 16 * 1024 * 1024,
          minimum: 1024 * 1024,
          maximum: 1024 * 1024 * 1024,
          multipleOf: 4096,
        },
        slotCount: {
          type: 'integer',
          // 4 s of main and sub at 120 frames/s and sound at 50 frames/s are 1160 records.
          description: 'Frames that it holds at most, of all tracks together.',
          default: 2048,
          enum: [256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
        },
      },
    },
    live: {
      type: 'object',
      description: 'Live view',
      default: {},
      additionalProperties: false,
      properties: {
        maxViewers: {
          type: 'integer',
          description: 'Most viewers at once.',
          default: 16,
          minimum: 1,
          maximum: 256,
        },
        maxPending: {
          type: 'integer',
          description: 'Most offers that wait for their connection at once.',
          default: 4,
          minimum: 1,
          maximum: 64,
        },
        offersPerMinute: {
          type: 'integer',
          description: 'Offers a minute of one address, and of one session.',
          default: 10,
          minimum: 1,
          maximum: 1000000,
        },
        connectTimeoutSeconds: {
          type: 'number',
          description: 'How long an offer may wait for its connection.',
          default: 15,
          minimum: 1,
          maximum: 120,
        },
        viewerTimeoutSeconds: {
          type: 'number',
          description: 'After how long without a sign of life a viewer is gone (RFC 7675).',
          default: 30,
          minimum: 5,
          maximum: 300,
        },
        maxSessionSeconds: {
          type: 'integer',
          description: 'Longest live session.',
          default: 12 * 3600,
          minimum: 10,
          maximum: 30 * 86400,
        },
        maxPayloadBytes: {
          type: 'integer',
          // 1200 + RTP, SRTP, UDP and IPv6 headers stays below the smallest MTU of IPv6, 1280 (RFC 8200 §5).
          description: 'Largest RTP payload, so that a packet fits the network.',
          default: 1200,
          minimum: 256,
          maximum: 1400,
        },
        addresses: {
          type: 'array',
          description: 'Local addresses offered to viewers, comma-separated; if empty, all but loopback.',
          title: 'IP addresses',
          default: [],
          items: { type: 'string', format: 'ip-address' },
          maxItems: 16,
          uniqueItems: true,
        },
        dataPlane: {
          type: 'string',
          description:
            'What encrypts and sends packets: the native addon where it is built (auto, native), or JavaScript.',
          default: 'auto',
          enum: ['auto', 'native', 'javascript'],
        },
      },
    },
    recorder: recorderSchema,
    http: httpSchema,
    https: httpsSchema,
    accounts: accountsSchema,
    firmware: firmwareSchema,
  },
};
