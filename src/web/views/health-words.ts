/** What is wrong with the camera, in words that say what can be done. Pure. */
import type { Health } from '../api/camera-api.ts';

const recorderWords: Readonly<Record<string, string>> = {
  'card-missing': 'Nothing is recorded: the card is missing.',
  'card-refused': 'Nothing is recorded: this card holds the recordings of another camera.',
  'card-full': 'Nothing is recorded: the card is full of other files.',
  'card-read-only': 'Nothing is recorded: the card cannot be written.',
  'card-failed': 'Nothing is recorded: the card gives errors.',
  'card-stalled': 'Nothing is recorded at the moment: the card does not answer.',
};

/** A sentence; undefined when all is well. */
export function healthWords({ recorder, sources, workers }: Health): string | undefined {
  if (sources.some(({ state }) => state !== 'running')) return 'The camera gets no picture from its sensor.';
  const words = recorder && recorderWords[recorder.state];
  if (words !== undefined) return words;
  const away = workers.find(({ state }) => state === 'restarting');
  return away && `A part of the camera is restarting: ${away.name}.`;
}

/** The state of the recorder in a word or two. */
export function recorderText(state: string | undefined): string {
  if (state === undefined) return 'Recording is turned off';
  if (state === 'recording') return 'Recording';
  if (state === 'waiting') return 'Waiting for a picture';
  return recorderWords[state] ?? state;
}
