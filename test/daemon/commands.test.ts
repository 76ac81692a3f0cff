/** The commands of who holds the device, typed beside a running camera. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../support/command-line.ts';
import { Daemon, owner } from '../support/daemon.ts';
import { LightViewer } from '../support/light-viewer.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('beside a running camera', () => {
  let daemon: Daemon;
  before(async () => {
    daemon = await Daemon.start({ flags: ['--live-addresses', '127.0.0.1'] });
  });
  after(() => daemon.stop());

  /** Types a command for the camera's state folder. */
  async function type(
    words: string,
    input: string | Uint8Array = '',
    state = daemon.state,
  ): Promise<{ status: number; output: string; errors: string }> {
    const cheap = ['--accounts-argon2-memory-kib', '1024', '--accounts-argon2-iterations', '2'];
    const child = spawn(process.execPath, [...commandLine, ...words.split(' '), '--state', state, ...cheap], {
      cwd: root,
    });
    child.stdin.end(input);
    const ended = new Promise<number>(resolve => child.once('close', status => resolve(status ?? -1)));
    const [output, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { status, output, errors };
  }

  const device = async (): Promise<number> => (await daemon.fetch('/api/v1/device')).status;

  test('user reset-password: log-ins and their viewers end, the new password opens, the old one does not', async () => {
    const viewer = await LightViewer.open(daemon);
    await viewer.connected;
    assert.equal(await device(), 200);
    const { status, output } = await type('user reset-password', 'another long password\n');
    assert.equal(status, 0);
    assert.match(output, new RegExp(`password of ${owner.email} is changed`));
    await viewer.closed;
    assert.equal(await device(), 401);
    await assert.rejects(daemon.logIn(), /400/);
    daemon.token = await daemon.logIn(owner.email, 'another long password');
    assert.equal(await device(), 200);
  });

  test('user reset-password refuses a password that breaks a rule, and changes nothing', async () => {
    const { status, errors } = await type('user reset-password', 'abc\n');
    assert.equal(status, 2);
    assert.match(errors, /5/);
    assert.equal(await device(), 200);
  });

  test('user reset-password without a password changes nothing', async () => {
    const { status, errors } = await type('user reset-password');
    assert.equal(status, 2);
    assert.match(errors, /one line of UTF-8 on standard input/);
    assert.equal(await device(), 200);
  });

  for (const [what, input] of [
    ['two lines', 'a good password\nanother one\n'],
    ['what is not UTF-8', Buffer.from('p\xe4ssword\n', 'latin1')],
  ] as const)
    test(`user reset-password refuses ${what}, and changes nothing`, async () => {
      const { status, errors } = await type('user reset-password', input);
      assert.equal(status, 2);
      assert.match(errors, /one line of UTF-8/);
      assert.equal(await device(), 200);
    });

  test('token rotate-key ends every log-in and its viewers; the user stays', async () => {
    const viewer = await LightViewer.open(daemon);
    await viewer.connected;
    const { status, output } = await type('token rotate-key');
    assert.equal(status, 0);
    assert.match(output, /log-ins? and every link have ended/);
    await viewer.closed;
    assert.equal(await device(), 401);
    daemon.token = await daemon.logIn(owner.email, 'another long password');
    assert.equal(await device(), 200);
  });

  test('factory-reset asks, and without an answer changes nothing', async () => {
    const { status, errors } = await type('factory-reset');
    assert.equal(status, 2);
    assert.match(errors, /--yes/);
    assert.equal(await device(), 200);
  });

  test('factory-reset --yes: no user, no settings, and a new setup token that opens the set-up', async () => {
    const configured = await daemon.fetch('/api/v1/media/live/config', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ice_servers: ['stun.example.org:3478'] }),
    });
    assert.equal(configured.status, 200);
    const { status, output } = await type('factory-reset --yes');
    assert.equal(status, 0);
    const token = readFileSync(path.join(daemon.state, 'setup-token'), 'utf8').trim();
    assert.ok(output.includes(token));
    assert.equal(await device(), 401);
    assert.deepEqual(await daemon.json('/api/v1/user/setup'), { setup_required: true });
    daemon.token = token;
    await daemon.claim();
    const system = await daemon.json<{ live_session_config: unknown }>('/api/v1/system');
    assert.deepEqual(system.live_session_config, { ice_servers: [] });
  });

  test('factory-reset of a folder without a camera makes nothing and says so', async () => {
    const folder = path.join(daemon.state, '..', 'mistyped');
    const { status, errors } = await type('factory-reset --yes', '', folder);
    assert.equal(status, 1);
    assert.match(errors, /there is no camera in .*mistyped/);
    assert.ok(!existsSync(folder));
  });

  test('what was typed is in the audit log, and no password is', () => {
    const audit = readFileSync(path.join(daemon.state, 'audit.log'), 'utf8');
    for (const event of ['password-reset', 'keys-rotated', 'factory-reset'])
      assert.match(audit, new RegExp(`"event":"${event}"`));
    assert.ok(!audit.includes('long password'));
  });
});
