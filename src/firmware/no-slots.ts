/** The back end of a camera that cannot be upgraded: nothing is installed, and nothing on the disk is made. */
import type { CameraError } from '../base/errors.ts';
import type { FirmwareBackEnd } from './back-end.ts';

/** @param reason what everything is refused with. */
export function noSlots(kind: FirmwareBackEnd['kind'], reason: CameraError): FirmwareBackEnd {
  const refuse = (): Promise<never> => Promise.reject(reason);
  return {
    kind,
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
}
