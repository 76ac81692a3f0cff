/** A sentence at the bottom for some seconds: what was done, when nothing else on the page shows it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const shownMs = 3500;
const bell = new EventTarget();

/** Shows a sentence. */
export function toast(words: string): void {
  bell.dispatchEvent(new CustomEvent('toast', { detail: words }));
}

/** Where it is shown; there once. */
export function Toast(): JSX.Element {
  const [words, setWords] = useState('');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (event: Event): void => {
      clearTimeout(timer);
      setWords(String((event as CustomEvent).detail));
      timer = setTimeout(() => setWords(''), shownMs);
    };
    bell.addEventListener('toast', show);
    return () => {
      clearTimeout(timer);
      bell.removeEventListener('toast', show);
    };
  }, []);
  return (
    <p class="toast" role="status">
      {words}
    </p>
  );
}
