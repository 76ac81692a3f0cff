/**
 * Upgrades of the firmware: sending an image with its progress, and following what the camera makes of it.
 *
 * The image goes by XMLHttpRequest, because fetch tells nothing of an upload's progress. The camera's own states come as a
 * stream of events (WHATWG HTML §9.2) that is read with fetch, since EventSource cannot send the token; where the stream
 * ends, as it does when the camera restarts, it is asked for again. An older camera that cannot be upgraded says so by 404.
 */
import { type CameraApi, type FirmwareState, problemOfResponse } from '../api/camera-api.ts';
import { CameraProblem, wordsOfCode } from '../api/camera-problem.ts';

const path = '/api/v1/system/upgrade';

/** How long to wait before the camera is asked again. */
const againMs = 2000;

/** Sentences for the states; the camera's own word where there is none. */
const words: Readonly<Record<string, string>> = {
  idle: 'No upgrade is under way.',
  receiving: 'The camera receives the image.',
  verifying: 'The camera checks the image and its signature.',
  ready: 'The new firmware is in its slot. The camera restarts with it.',
  restarting: 'The camera restarts. This page waits for it.',
  trial: 'The new firmware runs on trial. It is kept when all of the camera works for a while.',
  confirmed: 'The new firmware works and is kept.',
  'fell-back': 'The new firmware did not work. The camera has gone back to the one before.',
  failed: 'The upgrade failed. The camera runs on with the firmware that it has.',
};

export function stateWords(state: string): string {
  return words[state] ?? state;
}

export type StateTone = 'quiet' | 'good' | 'warn' | 'bad';

export function stateTone(state: string): StateTone {
  if (state === 'confirmed') return 'good';
  if (state === 'failed' || state === 'fell-back') return 'bad';
  return state === 'trial' || state === 'restarting' ? 'warn' : 'quiet';
}

/** Whether another upgrade may begin: not while one is under way or on trial. */
export function mayUpload(state: string): boolean {
  return !['receiving', 'verifying', 'ready', 'restarting', 'trial'].includes(state);
}

/** Words for what is in a slot. */
export function slotWords({
  version,
  state,
}: {
  readonly version: string | null;
  readonly state: string;
}): string {
  const told = {
    good: '',
    unknown: '',
    untried: 'not tried yet',
    bad: 'did not work',
    installing: 'being written',
  }[state];
  if (version === null) return state === 'unknown' ? '–' : state;
  return [version, told ?? state].filter(Boolean).join(', ');
}

const outcomes = {
  confirmed: 'proved itself and is kept',
  'fell-back': 'did not prove itself, so the one before runs',
  failed: 'was not installed',
} as const;

/** What was said of the last upgrade. */
export function resultWords(result: FirmwareState['lastResult']): string | undefined {
  if (!result) return undefined;
  const { outcome, version, reason } = result;
  const told = `${version === 'unknown' ? 'An image' : `Version ${version}`} ${outcomes[outcome]}`;
  const why = reason === undefined ? undefined : (wordsOfCode(reason) ?? reason);
  return why === undefined ? `${told}.` : `${told}: ${why.replace(/\.$/, '')}.`;
}

/** An upload that is under way. */
export interface Upload {
  /** Rejects with a CameraProblem. */
  readonly done: Promise<void>;
  cancel(): void;
}

/** Sends an image. @param onProgress how much of it has left, from 0 to 1. */
export function sendImage(api: CameraApi, image: File, onProgress: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<void>((resolve, reject) => {
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 0),
    );
    request.addEventListener('load', () => {
      if (request.status < 300) resolve();
      else
        problemOfResponse(new Response(request.responseText, { status: request.status })).then(problem => {
          api.refused(problem);
          reject(problem);
        }, reject);
    });
    const lost = (): void => reject(new CameraProblem({ code: 'unreachable' }));
    request.addEventListener('error', lost);
    request.addEventListener('abort', () =>
      reject(new CameraProblem({ code: 'cancelled', detail: 'Cancelled.' })),
    );
    request.open('POST', path);
    request.setRequestHeader('x-token', api.token);
    const form = new FormData();
    form.append('img_file', image, image.name);
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

/** What is known of upgrades: the camera's own account, or that there are none. */
export type UpgradeNews =
  | { readonly kind: 'status'; readonly status: FirmwareState }
  | { readonly kind: 'not-set-up' }
  | { readonly kind: 'away'; readonly problem: CameraProblem };

/** Follows the camera's states until the signal; never rejects. */
export async function followUpgrade(
  api: CameraApi,
  onNews: (news: UpgradeNews) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(path, {
        headers: { 'x-token': api.token, accept: 'text/event-stream, application/json;q=0.5' },
        ...{ signal, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' },
      });
      if (response.status === 404 || response.status === 405) {
        onNews({ kind: 'not-set-up' });
        return;
      }
      if (!response.ok || !response.body) throw await problemOfResponse(response);
      await readStatuses(response, status =>
        onNews(status.state === 'off' ? { kind: 'not-set-up' } : { kind: 'status', status }),
      );
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof CameraProblem ? error : new CameraProblem({ code: 'unreachable' });
      api.refused(problem);
      onNews({ kind: 'away', problem });
    }
    await new Promise(resolve => setTimeout(resolve, againMs));
  }
}

async function readStatuses(response: Response, onStatus: (status: FirmwareState) => void): Promise<void> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    onStatus((await response.json()) as FirmwareState);
    return;
  }
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const events = new EventStreamReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const data of events.take(value)) onStatus(JSON.parse(data) as FirmwareState);
  }
}

/** The data of the events in a stream of text. */
export class EventStreamReader {
  private rest = '';

  /** Takes the next piece; gives the data of the events that it completes. */
  take(text: string): string[] {
    const blocks = (this.rest + text).replaceAll(/\r\n?/g, '\n').split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.flatMap(block => {
      const lines = block.split('\n').filter(line => line.startsWith('data:'));
      return lines.length === 0 ? [] : [lines.map(line => line.slice(5).replace(/^ /, '')).join('\n')];
    });
  }
}
