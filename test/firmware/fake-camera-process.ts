/**
 * Stands in for the camera in a slot: does at each start what the next line of a plan says, and writes down where it ran.
 *
 *     exit N      ends with a status
 *     confirm     proves itself, then serves
 *     serve       runs until a signal, or until the launcher is gone
 *     hang        runs and hears no signal
 *     crash       is killed
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { confirm } from '../../src/firmware/boot-choice.ts';
import { readBootRecord, writeBootRecord } from '../../src/firmware/boot-record.ts';

const folder = process.env.FAKE_FOLDER!;
const slot = process.env.OPENCAMERAD_BOOT_SLOT!;
const [action = 'exit 9', ...rest] = readFileSync(path.join(folder, 'plan'), 'utf8').split('\n');
writeFileSync(path.join(folder, 'plan'), rest.join('\n'));
appendFileSync(path.join(folder, 'starts'), `${slot} ${action} ${process.argv.slice(2).join(' ')}\n`);

setInterval(() => undefined, 60_000);
if (action === 'confirm') {
  const { record } = readBootRecord(folder);
  writeBootRecord(folder, confirm(record, '2.0.0', 0));
}
if (action === 'hang')
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
if (action === 'confirm' || action === 'serve') {
  process.on('SIGTERM', () => process.exit(0));
  process.on('disconnect', () => {
    appendFileSync(path.join(folder, 'starts'), `${slot} is alone\n`);
    process.exit(1);
  });
}
if (action.startsWith('exit ')) process.exit(Number(action.slice(5)));
if (action === 'crash') process.kill(process.pid, 'SIGKILL');
process.stdout.write(`up ${slot}\n`);
