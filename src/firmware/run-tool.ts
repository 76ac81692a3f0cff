/** Runs a program of the board and waits for its end: no shell, a time limit, a bounded output. */
import { execFile } from 'node:child_process';
import { CameraError } from '../base/errors.ts';
import { toolOutputBytesMax } from './limits.ts';

/**
 * Resolves to what it wrote to standard output when it ends with status 0. Rejects with CameraError `firmware-tool-failed`
 * otherwise, with the last line of what it wrote to standard error.
 */
export function runTool(
  file: string,
  args: readonly string[],
  options: { readonly timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { timeoutMs } = options;
    execFile(
      file,
      [...args],
      { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: toolOutputBytesMax, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (!error) {
          resolve(stdout);
          return;
        }
        const said = stderr.trim().split('\n').at(-1) || error.message.split('\n')[0];
        const name = [file, args[0]].join(' ');
        reject(new CameraError('firmware-tool-failed', `${name}: ${said}`, {}, { cause: error }));
      },
    );
  });
}

/** Until a question, or an order that writes a few bytes, is answered. */
export const questionTimeoutMs = 30_000;

/** Until an image of some hundred MB is written to a slow card. */
export const installTimeoutMs = 15 * 60_000;
