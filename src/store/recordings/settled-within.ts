/**
 * Waits for what may hang, but not for long. Main thread.
 */

/** Resolves when the promise does, or after so many milliseconds; rejects as it does before that. */
export async function settledWithin(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

/** Whether the promise resolves. Never rejects. */
export function succeeds(promise: Promise<void> | undefined): Promise<boolean> {
  return Promise.resolve(promise).then(
    () => true,
    () => false,
  );
}
