/** The few hooks that the views share. */
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

/** Renders again whenever the target emits `change`. */
export function useChanges(target: EventTarget | undefined): void {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => {
    const changed = (): void => render(undefined);
    target?.addEventListener('change', changed);
    // It may have changed since it was rendered.
    changed();
    return () => target?.removeEventListener('change', changed);
  }, [target]);
}

/** What was asked of the camera: undefined while it is on its way. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  reload(): void;
}

/** Asks once, again when `reload` is called, and every so many ms if told; while the page is hidden it is not asked. */
export function useLoaded<T>(ask: () => Promise<T>, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ readonly value?: T; readonly error?: unknown }>({});
  const [turn, reload] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let isCurrent = true;
    const load = async (): Promise<void> => {
      if (document.visibilityState === 'hidden') return;
      try {
        const value = await ask();
        if (isCurrent) setState({ value });
      } catch (error) {
        // What was known stays to be seen beside the error.
        if (isCurrent) setState(known => ({ ...known, error }));
      }
    };
    void load();
    const timer = everyMs === undefined ? undefined : setInterval(() => void load(), everyMs);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [turn, everyMs]);
  return { value: state.value, error: state.error, reload: () => reload(undefined) };
}
