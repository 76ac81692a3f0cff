/**
 * Sending a form: once at a time, with what is wrong told in words, and nobody sends while the camera asks to wait.
 *
 * The words stand in one element that screen readers speak when it changes; a field that they are about gets the focus and
 * is described by it. The seconds of a wait count down on the button, in silence.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { CameraProblem, wordsOf } from '../api/camera-problem.ts';
import type { Notice } from '../session/page-session.ts';

/** Longest wait that blocks the form, in seconds; a camera that asks for more may be tried by hand. */
const waitSecondsMax = 120;

/** Something is wrong with what was typed into the field of this id. */
export class FieldFault extends Error {
  readonly fieldId: string;

  constructor(fieldId: string, message: string) {
    super(message);
    this.fieldId = fieldId;
  }
}

export interface Submission {
  readonly notice: Notice | undefined;
  /** Id of the field that is wrong. */
  readonly faultId: string | undefined;
  /** What the button says instead of its own words, while it does nothing. */
  readonly busyWords: string | undefined;
  readonly onSubmit: (event: Event) => void;
  say(notice: Notice | undefined): void;
}

/** @param send sends the form; rejects with a FieldFault or a CameraProblem. */
export function useSubmission(send: () => Promise<void>, first?: Notice): Submission {
  const [notice, setNotice] = useState(first);
  const [faultId, setFaultId] = useState<string>();
  const [busyWords, setBusyWords] = useState<string>();
  const waitTimer = useRef<ReturnType<typeof setInterval>>();
  useEffect(() => () => clearInterval(waitTimer.current), []);
  useEffect(() => setNotice(first), [first]);

  const wait = (words: string, seconds: number): void => {
    const end = performance.now() + seconds * 1000;
    const tick = (): void => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (left > 0) setBusyWords(`Wait ${left} s`);
      else {
        clearInterval(waitTimer.current);
        setBusyWords(undefined);
        setNotice({ words: 'Please try again now.', tone: 'quiet' });
      }
    };
    const time = seconds === 1 ? 'a second' : `${seconds} seconds`;
    setNotice({ words: `${words} Please wait ${time}, then try again.`, tone: 'bad' });
    waitTimer.current = setInterval(tick, 250);
    tick();
  };

  const refused = (error: unknown): void => {
    const seconds = error instanceof CameraProblem ? Math.ceil(error.retryAfterMs / 1000) : 0;
    setBusyWords(undefined);
    if (seconds > 0 && seconds <= waitSecondsMax) wait(wordsOf(error), seconds);
    else if (error instanceof FieldFault) {
      setNotice({ words: error.message, tone: 'bad' });
      setFaultId(error.fieldId);
      const field = document.getElementById(error.fieldId);
      if (field instanceof HTMLInputElement) {
        field.focus();
        field.select();
      }
    } else setNotice({ words: wordsOf(error), tone: 'bad' });
  };

  const submit = async (): Promise<void> => {
    setNotice(undefined);
    setFaultId(undefined);
    setBusyWords('One moment …');
    try {
      await send();
      setBusyWords(undefined);
    } catch (error) {
      refused(error);
    }
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (busyWords === undefined) void submit();
  };
  return { notice, faultId, busyWords, onSubmit, say: setNotice };
}
