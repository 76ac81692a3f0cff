/**
 * `POST /api/v1/system/upgrade`: refused as long as no key says which images can be trusted.
 *
 * An image that nobody can check must not run, so there is nothing to be gained from reading it: the answer comes before
 * the body. Who tried is in the audit log.
 */
import { CameraError } from '../../base/errors.ts';
import type { Handlers } from '../operations.ts';
import type { HttpServices } from '../services.ts';

/** The operation "upgrade firmware". */
export function firmwareHandlers({ audit }: Pick<HttpServices, 'audit'>): Pick<Handlers, 'upgradeFirmware'> {
  return {
    upgradeFirmware({ caller }) {
      audit.record('upgrade-refused', caller, { reason: 'firmware-untrusted' });
      throw new CameraError('firmware-untrusted', 'no key for firmware is configured');
    },
  };
}
