import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ChildTree } from '../../src/capture/child-tree.ts';

/** Processes of a group that are not merely waiting to be reaped. */
function membersOf(groupId: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        // After the name in brackets: state, parent, process group.
        const [state, , group] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
        return Number(group) === groupId && state !== 'Z';
      } catch {
        return false;
      }
    });
}

async function goneWithin(groupId: number, ms: number): Promise<boolean> {
  for (const endMs = Date.now() + ms; Date.now() < endMs; )
    if (membersOf(groupId).length === 0) return true;
    else await new Promise(resolve => setTimeout(resolve, 10));
  return false;
}

/** Runs a command; `output` resolves with the first bytes, `ended` with the reason. */
function runTree(command: string) {
  let onOutput: (text: string) => void;
  let onEnd: (reason: string) => void;
  const output = new Promise<string>(resolve => {
    onOutput = resolve;
  });
  const ended = new Promise<string>(resolve => {
    onEnd = resolve;
  });
  let all = '';
  let errors = '';
  const tree = new ChildTree(command, {
    output(bytes) {
      all += bytes.toString();
      onOutput(all);
    },
    errorOutput(bytes) {
      errors += bytes.toString();
    },
    ended: reason => onEnd(reason),
  });
  return { tree, output, ended, all: () => all, errors: () => errors };
}

test('gives all output and standard error of a command that ends by itself, then its status', async () => {
  const { ended, all, errors, tree } = runTree('printf a; printf b >&2; printf c; exit 3');
  assert.equal(await ended, 'it ended with status 3');
  assert.deepEqual([all(), errors()], ['ac', 'b']);
  assert.ok(await goneWithin(tree.groupId!, 2000));
});

test('tells a command that does not exist by its status', async () => {
  const { ended, errors } = runTree('/no/such/program');
  assert.equal(await ended, 'it ended with status 127');
  assert.match(errors(), /not found/);
});

test('stops a pipeline and everything that it started', async () => {
  const { tree, output } = runTree('(sleep 1000 & sleep 1000 & wait) | (echo up; sleep 1000) & sleep 1000');
  await output;
  await tree.stop();
  assert.ok(await goneWithin(tree.groupId!, 2000));
});

test('kills what ignores SIGTERM', async () => {
  const { tree, output } = runTree(`trap '' TERM; echo up; while :; do sleep 1000; done`);
  await output;
  await tree.stop();
  assert.ok(await goneWithin(tree.groupId!, 2000));
});

test('lets a program that cleans up at SIGTERM do so', async () => {
  const { tree, output, all } = runTree(
    `trap 'printf clean; exit 0' TERM; printf up-; while :; do sleep 0.01; done`,
  );
  await output;
  await tree.stop();
  assert.equal(all(), 'up-clean');
});

test('ends a command that closed its output but goes on', async () => {
  const { ended, tree } = runTree('exec >&-; exec sleep 1000');
  await ended;
  assert.ok(await goneWithin(tree.groupId!, 2000));
});

test('takes the command with it when its owner is killed', async () => {
  const script = `
    import { ChildTree } from ${JSON.stringify(new URL('../../src/capture/child-tree.ts', import.meta.url).href)};
    const tree = new ChildTree("trap '' TERM PIPE; echo up; while :; do sleep 1000; done", {
      output: () => process.stdout.write(String(tree.groupId)), errorOutput: () => {}, ended: () => {} });
  `;
  const register = new URL('../register.mjs', import.meta.url).href;
  const owner = spawn(process.execPath, ['--import', register, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const groupId = await new Promise<number>(resolve =>
    owner.stdout.once('data', data => resolve(Number(String(data)))),
  );
  assert.ok(membersOf(groupId).length > 0);
  owner.kill('SIGKILL');
  assert.ok(await goneWithin(groupId, 3000));
});
