/** The end of the camera's log, as it grows. */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { CameraApi, LogEntry } from '../../api/camera-api.ts';
import { wordsOf } from '../../api/camera-problem.ts';
import { clockText } from '../../ui/texts.ts';

const everyMs = 3000;
/** As many as the camera keeps. */
const linesMax = 500;

export function LogCard({ api }: { readonly api: CameraApi }): JSX.Element {
  const [entries, setEntries] = useState<readonly LogEntry[]>([]);
  const [error, setError] = useState<string>();
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    let isGone = false;
    let last = 0;
    const look = async (): Promise<void> => {
      if (document.visibilityState === 'hidden') return;
      try {
        const tail = await api.logs(last);
        if (isGone) return;
        // A number that falls is that of another run of the camera.
        const isAnew = tail.last < last;
        last = tail.last;
        setError(undefined);
        if (isAnew) last = 0;
        else if (tail.entries.length > 0) setEntries(known => [...known, ...tail.entries].slice(-linesMax));
      } catch (problem) {
        if (!isGone) setError(wordsOf(problem));
      }
    };
    void look();
    const timer = setInterval(() => void look(), everyMs);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [api]);
  const lastId = entries.at(-1)?.id;
  // Who has scrolled up reads there.
  const isAtEnd = useRef(true);
  const scrolled = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = list.current!;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
  };
  useLayoutEffect(() => {
    const element = list.current!;
    if (isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [lastId]);
  return (
    <div class="card" id="log">
      <h2>Log</h2>
      {error !== undefined && (
        <p class="message" role="alert" data-tone="warn">
          {error}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must be able to scroll it. */}
      <ol class="log" ref={list} tabIndex={0} onScroll={scrolled} aria-label="Log of the camera">
        {entries.map(({ id, time, level, message, fields }) => (
          <li key={`${time} ${id}`} data-level={level}>
            <time>{clockText(Date.parse(time))}</time>
            <span class="level">{level}</span>
            <span class="text">
              {message} <span class="fields">{fieldsText(fields)}</span>
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function fieldsText(fields: LogEntry['fields']): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
