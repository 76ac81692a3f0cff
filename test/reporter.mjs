// What `npm test` prints: each failure whole, each skipped test with its reason, the slowest files, and one line of totals.
// OPENCAMERAD_TEST_VERBOSE=1 adds a line for every file as it ends, for a run that hangs. The files with a failure go, a
// line each, to the file that OPENCAMERAD_TEST_FAILED_FILES names, for run.mjs.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';

const slowestShown = 12;
const verbose = process.env.OPENCAMERAD_TEST_VERBOSE === '1';

/** @param {AsyncIterable<{ type: string, data: Record<string, any> }>} events of node:test; yields the text to print. */
export default async function* quietReporter(events) {
  const startedMs = performance.now();
  const files = new Map();
  const failedFiles = new Set();
  const failures = [];
  const skips = [];
  let passed = 0;
  const fileOf = data => {
    const name = data.file === undefined ? '?' : path.relative(process.cwd(), data.file);
    let entry = files.get(name);
    if (entry === undefined) {
      entry = { name, tests: 0, durationMs: 0, chatter: [] };
      files.set(name, entry);
    }
    return entry;
  };
  const progress = process.stderr.isTTY === true && !verbose;
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      const { chatter } = fileOf(data);
      chatter.push(data.message);
      if (chatter.length > 400) chatter.splice(0, 200);
      continue;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const file = fileOf(data);
    if (data.nesting === 0) file.durationMs += data.details?.duration_ms ?? 0;
    if (data.details?.type === 'suite' && type === 'test:pass') continue;
    file.tests += 1;
    if (data.skip !== undefined) {
      skips.push(
        `skipped  ${file.name}: ${data.name}: ${data.skip === true ? 'no reason given' : data.skip}\n`,
      );
    } else if (type === 'test:pass') {
      passed += 1;
    } else if (data.details?.error?.failureType !== 'subtestsFailed') {
      failures.push(`${file.name}: ${data.name}`);
      failedFiles.add(file.name);
      yield failureText(file, data);
    }
    if (verbose && data.nesting === 0) {
      yield `${type.slice(5)}  ${(file.durationMs / 1000).toFixed(1).padStart(6)} s  ${file.name}: ${data.name}\n`;
    }
    if (progress) process.stderr.write(`\r\u001B[K${passed} passed, ${failures.length} failed  ${file.name}`);
  }
  if (progress) process.stderr.write('\r\u001B[K');
  yield* skips;
  const slowest = [...files.values()].sort((a, b) => b.durationMs - a.durationMs).slice(0, slowestShown);
  yield 'slowest files:\n';
  for (const { name, durationMs } of slowest)
    yield `${(durationMs / 1000).toFixed(1).padStart(8)} s  ${name}\n`;
  for (const failure of failures) yield `FAILED   ${failure}\n`;
  const listed = process.env.OPENCAMERAD_TEST_FAILED_FILES;
  if (listed !== undefined) writeFileSync(listed, [...failedFiles].join('\n'));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  yield `${passed} passed, ${failures.length} failed, ${skips.length} skipped in ${files.size} files, ${seconds} s\n`;
}

function failureText(file, data) {
  const { error, duration_ms: durationMs = 0 } = data.details ?? {};
  const cause = error?.cause ?? error;
  const text = typeof cause === 'object' ? inspect(cause, { depth: 4 }) : String(cause);
  const chatter = file.chatter.join('').split('\n').slice(-40).join('\n');
  const heading = `FAILED   ${file.name}: ${data.name} (${(durationMs / 1000).toFixed(1)} s)`;
  return `\n${heading}\n${text}\n${chatter === '' ? '' : `what the file printed last:\n${chatter}\n`}\n`;
}
