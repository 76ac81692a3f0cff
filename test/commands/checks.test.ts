import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { checkFirmware } from '../../src/commands/checks/firmware.ts';
import { checkRecordingsFolder, checkStateFolder } from '../../src/commands/checks/folders.ts';
import { checkCertificate } from '../../src/commands/checks/https.ts';
import { checkDataPlane } from '../../src/commands/checks/libraries.ts';
import { checkClock, checkNode } from '../../src/commands/checks/machine.ts';
import { checkPorts } from '../../src/commands/checks/network.ts';
import { checkSources } from '../../src/commands/checks/sources.ts';
import type { Finding } from '../../src/commands/finding.ts';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { emptyBootRecord, writeBootRecord } from '../../src/firmware/boot-record.ts';
import { certificateDays } from '../../src/http/limits.ts';
import { makeSelfSigned } from '../../src/http/tls/self-signed.ts';
import type { Addon } from '../../src/native/addon.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doctor-'));
after(() => rmSync(folder, { recursive: true }));

const configured = (flags: Record<string, string>): Configuration =>
  loadConfiguration({ flags: new Map(Object.entries(flags)) }).configuration;
/** The port on which the server listens from now on. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const levels = (findings: readonly Finding[]): string[] => findings.map(({ level }) => level);

test('a state folder that others can read is a warning, one that is private is well', async () => {
  const state = path.join(folder, 'state');
  mkdirSync(state, { mode: 0o755 });
  chmodSync(state, 0o755);
  const [finding] = await checkStateFolder(configured({ state }));
  assert.equal(finding?.level, 'warning');
  assert.match(finding.advice ?? '', /^chmod 700 '/);
  chmodSync(state, 0o700);
  assert.deepEqual(levels(await checkStateFolder(configured({ state }))), ['ok']);
});

test('a state folder that is a file is a problem, one that is missing will be made', async () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  assert.deepEqual(levels(await checkStateFolder(configured({ state: file }))), ['problem']);
  const missing = path.join(folder, 'missing');
  assert.deepEqual(levels(await checkStateFolder(configured({ state: missing }))), ['ok']);
});

test('a folder of recordings that the owner named and that is missing is a problem', async () => {
  const recordings = path.join(folder, 'card');
  assert.deepEqual(levels(await checkRecordingsFolder(configured({ recordings }))), ['problem']);
});

test('a port that another program serves is a problem, one that a camera serves is not', async () => {
  let body = 'hello';
  const server = createServer((_request, response) => response.end(body));
  const port = await listening(server);
  const configuration = configured({ host: '127.0.0.1', port: String(port) });
  assert.deepEqual(levels(await checkPorts(configuration)), ['problem']);
  body = '{"status":"ok","workers":[]}';
  assert.deepEqual(levels(await checkPorts(configuration)), ['ok']);
  await new Promise(resolve => server.close(resolve));
  assert.deepEqual(levels(await checkPorts(configuration)), ['ok']);
});

test('a camera that serves HTTPS by its own certificate, and sends plain HTTP on to it, is no other program', async t => {
  const { certificate: cert, key } = await makeSelfSigned({ names: ['camera'], nowUnixMs: Date.now() });
  const server = createTlsServer({ cert, key }, (_request, response) => response.end('{"workers":[]}'));
  let location = 'https://127.0.0.1/healthz';
  const redirect = createServer((_request, response) => response.writeHead(308, { location }).end());
  const port = await listening(server);
  const redirectPort = await listening(redirect);
  t.after(() => {
    server.close();
    redirect.close();
  });
  const configuration = configured({
    host: '127.0.0.1',
    port: String(port),
    'https.enabled': 'true',
    'https.redirectPort': String(redirectPort),
  });
  assert.deepEqual(levels(await checkPorts(configuration)), ['ok', 'ok']);
  location = 'https://elsewhere.example/';
  assert.deepEqual(levels(await checkPorts(configuration)), ['ok', 'problem']);
});

test('an address that is not of this machine is a problem', async () => {
  assert.deepEqual(levels(await checkPorts(configured({ host: '192.0.2.1' }))), ['problem']);
});

test('a clock from before this program is a problem', async () => {
  assert.deepEqual(levels(await checkClock(Date.UTC(1970, 0, 1))), ['problem']);
});

test('the Node.js that runs the tests is new enough', () => {
  assert.deepEqual(levels(checkNode()), ['ok']);
});

test('a file that is missing and a device that is missing are problems, a command is not run', async () => {
  const findings = await checkSources(
    configured({
      source: `file:${path.join(folder, 'none.mp4')}`,
      subSource: 'v4l2:/dev/none',
      audioSource: 'command:touch /tmp/never http://u:secret@host/',
    }),
  );
  assert.deepEqual(levels(findings), ['problem', 'problem', 'ok']);
  assert.ok(findings.every(({ found }) => !found.includes('secret')));
});

const checkPair = (certificate: string, key: string, nowUnixMs?: number): Promise<readonly Finding[]> =>
  checkCertificate(
    configured({ 'https.enabled': 'true', 'https.certificate': certificate, 'https.key': key }),
    nowUnixMs,
  );

test('a certificate is held against its key and its time', async () => {
  const beginUnixMs = Date.UTC(2026, 0, 1);
  const make = async (name: string): Promise<[string, string]> => {
    const files: [string, string] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}-key.pem`)];
    const texts = await makeSelfSigned({ names: [name], nowUnixMs: beginUnixMs });
    writeFileSync(files[0], texts.certificate);
    writeFileSync(files[1], texts.key);
    return files;
  };
  const one = await make('one');
  const other = await make('other');
  const days = (number: number): number => beginUnixMs + number * 86_400_000;
  assert.deepEqual(levels(await checkPair(...one, days(0))), ['ok']);
  assert.deepEqual(levels(await checkPair(one[0], other[1], days(0))), ['problem']);
  assert.deepEqual(levels(await checkPair(...one, days(-2))), ['problem']);
  assert.deepEqual(levels(await checkPair(...one, days(certificateDays - 10))), ['warning']);
  assert.deepEqual(levels(await checkPair(...one, days(certificateDays + 1))), ['problem']);
  assert.deepEqual(levels(await checkPair(path.join(folder, 'none.pem'), one[1])), ['problem']);
});

test('a certificate that the camera would refuse at its start is a problem', async t => {
  const [certificate, key] = [path.join(folder, 'ed.pem'), path.join(folder, 'ed-key.pem')];
  const what = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '100', '-subj', '/CN=ed'];
  try {
    execFileSync('openssl', [...what, '-out', certificate, '-keyout', key], { stdio: 'ignore' });
  } catch {
    t.skip('openssl is not installed');
    return;
  }
  assert.deepEqual(levels(await checkPair(certificate, key)), ['problem']);
});

test('the data plane is the one that the camera takes: native where the addon is, else JavaScript and why', () => {
  const there = () => ({ addon: { dataPlane: {} } as Addon, path: 'addon' });
  const gone = () => ({ missing: 'it was not built' });
  const auto = configured({});
  assert.equal(checkDataPlane(auto, there)[0]?.found, 'native');
  assert.match(checkDataPlane(auto, gone)[0]?.found ?? '', /^JavaScript.*it was not built$/);
  assert.deepEqual(levels(checkDataPlane(auto, gone)), ['ok']);
  assert.deepEqual(levels(checkDataPlane(configured({ 'live.dataPlane': 'native' }), gone)), ['warning']);
  const javascript = checkDataPlane(configured({ 'live.dataPlane': 'javascript' }), there);
  assert.match(javascript[0]?.found ?? '', /^JavaScript/);
});

test('without a key for firmware nothing is wrong; a private key, or a folder without keys, is a problem', async () => {
  const state = path.join(folder, 'firmware-state');
  mkdirSync(state);
  assert.deepEqual(levels(await checkFirmware(configured({ state }))), ['ok']);
  const keys = path.join(folder, 'keys');
  mkdirSync(keys);
  assert.deepEqual(levels(await checkFirmware(configured({ state, 'firmware.keys': keys }))), ['problem']);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(path.join(keys, 'a.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  assert.deepEqual(levels(await checkFirmware(configured({ state, 'firmware.keys': keys }))), ['ok']);
  writeFileSync(path.join(keys, 'b.pub'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const [finding] = await checkFirmware(configured({ state, 'firmware.keys': keys }));
  assert.equal(finding?.level, 'problem');
  assert.match(finding.found, /private key/);
});

test('the development key, and a version that was given up, are warnings', async () => {
  const state = path.join(folder, 'given-up');
  const slots = path.join(state, 'firmware');
  mkdirSync(slots, { recursive: true });
  const lastResult = { outcome: 'fell-back', version: '2.0.0', reason: 'it hung', atUnixMs: 0 } as const;
  writeBootRecord(slots, { ...emptyBootRecord, lastResult });
  const findings = await checkFirmware(configured({ state, 'firmware.developmentKey': 'true' }));
  assert.deepEqual(levels(findings), ['ok', 'warning', 'warning']);
  assert.match(findings[2]!.found, /2\.0\.0 was given up: it hung/);
});

test("a board's own program for firmware that does not answer is a problem", async () => {
  const program = path.join(folder, 'missing-program');
  const flags = {
    state: folder,
    'firmware.developmentKey': 'true',
    'firmware.backEnd': 'command',
    'firmware.command': program,
  };
  assert.deepEqual(levels(await checkFirmware(configured(flags))), ['ok', 'warning', 'problem']);
});
