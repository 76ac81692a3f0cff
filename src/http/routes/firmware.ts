/**
 * `/api/v1/system/upgrade`: a firmware image comes in, how far the camera is with it, and the way back.
 *
 * The image is checked, written and installed while it comes (firmware/upgrades.ts); the answer to the upload comes when
 * the new version is what starts next, and the camera restarts a moment later. What is said of an upgrade is one document,
 * as JSON, or as a stream of events with one such document each.
 */
import { addressKey } from '../../auth/address-key.ts';
import { CameraError } from '../../base/errors.ts';
import type { UpgradeResult } from '../../firmware/boot-record.ts';
import type { UpgradeStatus } from '../../firmware/upgrades.ts';
import { readFormFile } from '../form-file.ts';
import { declaredBodyBytes } from '../guard.ts';
import { formBytesMax } from '../limits.ts';
import type { AnswerOf, Handlers } from '../operations.ts';
import { RequestFault } from '../problems.ts';
import { KeyedRateLimiter } from '../rate-limiter.ts';
import { type AnyReply, jsonReply } from '../reply.ts';
import type { HttpServices } from '../services.ts';

/** The part of the form that the seed names. */
const partName = 'img_file';

type Document = AnswerOf<'getUpgrade'>;

/** The operations on the firmware. */
export function firmwareHandlers({
  upgrades,
  clock,
}: Pick<HttpServices, 'upgrades' | 'clock'>): Pick<
  Handlers,
  'upgradeFirmware' | 'getUpgrade' | 'rollBackFirmware'
> {
  const { uploadsPerHour, imageBytesMax } = upgrades;
  const limiter = new KeyedRateLimiter({ perSecond: uploadsPerHour / 3600, burst: uploadsPerHour, clock });
  return {
    async upgradeFirmware({ body, headers, caller, remoteAddress }) {
      upgrades.checkReady(caller);
      body.limit(declaredBodyBytes(headers), imageBytesMax + formBytesMax);
      admit(limiter, remoteAddress);
      const upload = upgrades.begin(caller);
      try {
        const contentType = headers.single('content-type') ?? '';
        await readFormFile(contentType, body, partName, bytes => upload.push(bytes));
        await upload.finish();
      } catch (error) {
        await upload.abandon(error);
        throw error;
      } finally {
        body.stop();
      }
      return jsonReply(documentOf(upgrades.status()));
    },
    getUpgrade({ headers }): AnyReply {
      if (!acceptsEvents(headers.single('accept'))) return jsonReply(documentOf(upgrades.status()));
      return {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        subscribe(listener) {
          const tell = (): void => listener(JSON.stringify(documentOf(upgrades.status())));
          const end = upgrades.watch(tell);
          if (!end) throw new CameraError('watchers-limit', 'too many watch the upgrade');
          tell();
          return end;
        },
      };
    },
    async rollBackFirmware({ caller }) {
      await upgrades.rollBack(caller);
      return jsonReply(documentOf(upgrades.status()));
    },
  };
}

/** Counts the upload; who asks for what cannot be had is not counted, since that costs nothing. */
function admit(limiter: KeyedRateLimiter, remoteAddress: string): void {
  const retryAfterSeconds = limiter.take(addressKey(remoteAddress));
  if (retryAfterSeconds > 0) throw new RequestFault('rate-limited', { retryAfterSeconds });
}

/** Whether the media type is named (RFC 9110 §12.5.1); everything else gets JSON. */
function acceptsEvents(accept: string | undefined): boolean {
  return /(?:^|,)[ \t]*text\/event-stream[ \t]*(?:,|$)/i.test(accept ?? '');
}

function documentOf({ progress, slots, lastResult, ...status }: UpgradeStatus): Document {
  return {
    ...status,
    progress: progress ?? null,
    slots: [...slots],
    lastResult: lastResult && shownResult(lastResult),
  };
}

function shownResult({ atUnixMs, ...result }: UpgradeResult): Document['lastResult'] {
  return { ...result, at: new Date(atUnixMs).toISOString() };
}
