/** The back end of a camera without upgrades: nothing is installed, and nothing on the disk is made. */
import { CameraError } from '../base/errors.ts';
import type { FirmwareBackEnd } from './back-end.ts';

const refuse = (): Promise<never> =>
  Promise.reject(new CameraError('firmware-not-set-up', 'no key for firmware is configured'));

export const noSlots: FirmwareBackEnd = {
  kind: 'files',
  restart: undefined,
  view: () => ({
    activeSlot: 'factory',
    slots: [],
    trial: undefined,
    rollBackTo: undefined,
    lastResult: null,
    highestVersion: null,
  }),
  begin: refuse,
  reject: refuse,
  rollBack: refuse,
  failed: async () => undefined,
  confirm: async () => undefined,
};
