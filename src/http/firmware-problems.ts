/** The rows of problems.ts for firmware upgrades. Pure data. */
import type { Problem } from './problem.ts';

export const firmwareProblems = {
  'firmware-untrusted': {
    status: 403,
    title: 'No trusted key',
    detail: 'The firmware image is signed by no key that this camera trusts.',
  },
  'firmware-malformed': {
    status: 400,
    title: 'No firmware image',
    detail: 'The file is no firmware image of this camera software.',
  },
  'firmware-signature-invalid': {
    status: 403,
    title: 'Wrong signature',
    detail: 'The firmware image names a trusted key, but its signature is wrong.',
  },
  'firmware-truncated': {
    status: 400,
    title: 'Firmware image cut off',
    detail: 'The firmware image is shorter than it says.',
  },
  'firmware-too-long': {
    status: 413,
    title: 'Firmware image too long',
    detail: 'The firmware image is longer than it says.',
  },
  'firmware-corrupt': {
    status: 400,
    title: 'Firmware image damaged',
    detail: 'What the firmware image holds is not what was signed.',
  },
  'firmware-board-mismatch': {
    status: 409,
    title: 'Firmware for other cameras',
    detail: 'The firmware image is for other boards; the details name this one.',
    showsDetails: true,
  },
  'firmware-step-missing': {
    status: 409,
    title: 'Another firmware first',
    detail: 'The firmware image needs a newer version to be installed first; the details name it.',
    showsDetails: true,
  },
  'firmware-installed': {
    status: 409,
    title: 'Firmware installed already',
    detail: 'The version of the firmware image is the one that runs.',
    showsDetails: true,
  },
  'firmware-downgrade': {
    status: 409,
    title: 'Firmware too old',
    detail: 'The firmware image is older than a version that ran on this camera.',
    showsDetails: true,
  },
  'firmware-too-large': {
    status: 413,
    title: 'Firmware image too large',
    detail: 'The firmware image is larger than this camera is configured to take.',
    showsDetails: true,
  },
  'firmware-no-room': {
    status: 507,
    title: 'No room for the firmware',
    detail: 'The disk of the camera has no room for the firmware image.',
    showsDetails: true,
  },
  'firmware-key-invalid': {
    status: 500,
    title: 'Key for firmware unusable',
    detail: 'A key for firmware cannot be used; the log says which.',
  },
  'firmware-storage-failed': {
    status: 500,
    title: 'Firmware not written',
    detail: 'The disk of the camera failed. The firmware that runs was not touched; the log says more.',
  },
  'firmware-tool-failed': {
    status: 500,
    title: 'Firmware not installed',
    detail: "The board's own program did not install the firmware; the log says more.",
  },
  'firmware-busy': {
    status: 409,
    title: 'An upgrade is under way',
    detail: 'Another upgrade is under way, or a new version has yet to prove itself. Try again later.',
    retryAfterSeconds: 30,
  },
  'firmware-not-set-up': {
    status: 403,
    title: 'Upgrades not set up',
    detail: 'No key for firmware is configured on this camera, so no image can be trusted.',
  },
  'firmware-no-previous': {
    status: 409,
    title: 'No firmware before this',
    detail: 'There is no other version on this camera to go back to.',
  },
  'watchers-limit': {
    status: 503,
    title: 'Too many watchers',
    detail: 'As many clients as may are told of the upgrade. Ask without an event stream.',
    retryAfterSeconds: 10,
  },
} satisfies Readonly<Record<string, Problem>>;
