/**
 * `GET /api/v1/user/setup`: whether the camera has no user yet, so that its page can ask for the setup token instead of a
 * password. Open to everybody: what POST /user answers tells the same.
 */
import { CameraError } from '../../base/errors.ts';
import type { Handlers } from '../operations.ts';
import { jsonReply } from '../reply.ts';
import type { HttpServices } from '../services.ts';

/** The operation "get setup state". */
export function setupHandlers({ accounts }: Pick<HttpServices, 'accounts'>): Pick<Handlers, 'getSetup'> {
  return {
    getSetup() {
      // Neither answer would be true: there may be a user, and there may be none.
      if (accounts.state === 'damaged')
        throw new CameraError('accounts-damaged', 'the user database cannot be read');
      return jsonReply({ setup_required: accounts.state === 'factory' });
    },
  };
}
