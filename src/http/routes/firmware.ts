/**
 * `POST /api/v1/system/upgrade`: refused as long as no key says which images can be trusted.
 *
 * An image that nobody can check must not run, so there is nothing to be gained from reading it: the answer comes before
 * the body, and asks the client to stop and close. What comes nevertheless is dropped by the parser piece by piece;
 * closing the connection under a client that is still sending would lose it the answer (RFC 9112 §9.6; curl: 4 of 10).
 * Who tried is in the audit log.
 */
import { CameraError } from '../../base/errors.ts';
import type { Handlers } from '../operations.ts';
import { problemReply } from '../problems.ts';
import type { HttpServices } from '../services.ts';

/** The operation "upgrade firmware". */
export function firmwareHandlers({ audit }: Pick<HttpServices, 'audit'>): Pick<Handlers, 'upgradeFirmware'> {
  return {
    upgradeFirmware({ caller, requestId }) {
      audit.record('upgrade-refused', caller, { reason: 'firmware-untrusted' });
      const refusal = new CameraError('firmware-untrusted', 'no key for firmware is configured');
      const reply = problemReply(refusal, requestId);
      return { ...reply, headers: { ...reply.headers, connection: 'close' } };
    },
  };
}
