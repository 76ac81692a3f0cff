/** TLS on the port: certificates, what is spoken, the redirect, renewal; with Node's own TLS as the client. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { CertificateSource } from '../../src/http/tls/certificate-source.ts';
import { makeSelfSigned } from '../../src/http/tls/self-signed.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { LogLine } from './fake-services.ts';
import { BareCamera, plain } from './front-end-fixture.ts';
import { connected, raw } from './raw-client.ts';

const dayMs = 86_400_000;
const folder = mkdtempSync(path.join(tmpdir(), 'tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A pair of files with these names, valid from a day before `nowUnixMs`. */
async function pair(name: string, nowUnixMs = Date.now()): Promise<{ certificate: string; key: string }> {
  const texts = await makeSelfSigned({ names: [name, 'localhost', '127.0.0.1'], nowUnixMs });
  const files = { certificate: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
  writeFileSync(files.certificate, texts.certificate);
  writeFileSync(files.key, texts.key, { mode: 0o600 });
  return files;
}

async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

async function fingerprintAt(port: number): Promise<string> {
  const socket = await handshake(port);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

const get = (port: number, target = '/', extra = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${extra}\r\n`;

describe('with a certificate of its own', () => {
  let camera: BareCamera;
  before(async () => {
    camera = await BareCamera.start({ https: { enabled: true }, http: { names: ['cam.example:8443'] } });
  });
  after(() => camera.stop());

  test('serves, and tells the fingerprint that a browser shows', async () => {
    assert.equal(camera.frontEnd.scheme, 'https');
    const { responses } = await raw(camera.port, get(camera.port), { expect: 1, tls: true });
    assert.equal(responses[0]?.status, 200);
    const fingerprint = await fingerprintAt(camera.port);
    assert.match(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.ok(camera.log.some(({ message }) => message === `certificate SHA-256 ${fingerprint}`));
  });

  test('keeps the key for itself', () => {
    assert.equal(statSync(path.join(camera.stateFolder, 'https-key.pem')).mode & 0o777, 0o600);
    assert.ok(!JSON.stringify(camera.log).includes('PRIVATE'));
  });

  test('the certificate is for the camera’s names and addresses, and signs nothing else', async () => {
    const text = readFileSync(path.join(camera.stateFolder, 'https-certificate.pem'), 'utf8');
    const certificate = new X509Certificate(text);
    assert.equal(certificate.ca, false);
    for (const name of ['localhost', hostname().toLowerCase(), 'cam.example'])
      assert.equal(certificate.checkHost(name), name);
    for (const address of ['127.0.0.1', '::1']) assert.ok(certificate.checkIP(address));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(certificate.serialNumber.length >= 16);
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / dayMs;
    assert.ok(days > 365 && days <= 825, `${days} days`);
  });

  test('a client that trusts the certificate needs no exception', async () => {
    const ca = readFileSync(path.join(camera.stateFolder, 'https-certificate.pem'));
    const socket = await handshake(camera.port, { ca, rejectUnauthorized: true, servername: 'localhost' });
    assert.ok(socket.authorized);
    socket.destroy();
  });

  test('never tells a browser to insist on it', async () => {
    const { responses } = await raw(camera.port, get(camera.port), { expect: 1, tls: true });
    assert.equal(responses[0]?.headers.get('strict-transport-security'), undefined);
  });

  test('plain HTTP on the port gets no answer', async () => {
    const { responses, closed } = await raw(camera.port, get(camera.port));
    assert.ok(closed);
    assert.deepEqual(responses, []);
  });

  test('survives 1,000 clients that reset at any moment of the handshake or the request', async () => {
    const resetOne = async (index: number): Promise<void> => {
      const socket = await connected(camera.port);
      const secure = connect({ socket, rejectUnauthorized: false });
      for (const each of [socket, secure]) each.on('error', () => {});
      const closed = new Promise(resolve => socket.once('close', resolve));
      if (index % 3 === 2) {
        await once(secure, 'secureConnect');
        secure.write(get(camera.port).slice(0, index % 60));
      }
      for (let turns = index % 7; turns > 0; turns--) await new Promise(resolve => setImmediate(resolve));
      socket.resetAndDestroy();
      await closed;
    };
    for (let done = 0; done < 1000; done += 50)
      await Promise.all(Array.from({ length: 50 }, (_, index) => resetOne(done + index)));
    const { responses } = await raw(camera.port, get(camera.port), { expect: 1, tls: true });
    assert.equal(responses[0]?.status, 200);
    while (camera.frontEnd.connections.open > 0) await new Promise(resolve => setImmediate(resolve));
  });

  test('never runs a request in the tail of an ambiguous one', async () => {
    camera.seen.length = 0;
    const bytes = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${camera.port}\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabc`;
    const { responses, closed } = await raw(camera.port, bytes + get(camera.port, '/smuggled'), {
      tls: true,
    });
    assert.ok(closed);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [400],
    );
    assert.deepEqual(camera.seen, []);
  });
});

describe('speaks TLS 1.2 and 1.3 with ephemeral keys and authenticated encryption alone', () => {
  let camera: BareCamera;
  before(async () => {
    camera = await BareCamera.start({ https: { enabled: true } });
  });
  after(() => camera.stop());

  const suite = async (options: ConnectionOptions): Promise<string> => {
    const socket = await handshake(camera.port, options);
    const name = `${socket.getProtocol()} ${socket.getCipher().standardName}`;
    socket.destroy();
    return name;
  };

  test('TLS 1.3 unless the client has only 1.2', async () => {
    assert.match(await suite({}), /^TLSv1\.3 TLS_(AES_(128|256)_GCM|CHACHA20)/);
    assert.match(await suite({ maxVersion: 'TLSv1.2' }), /^TLSv1\.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM/);
  });

  for (const version of ['TLSv1', 'TLSv1.1'] as const)
    test(`refuses ${version}`, async () => {
      const options = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' };
      await assert.rejects(suite(options), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    });
});

/** Whether a server with this key takes a suite of TLS 1.2; RSA keys have more suites to refuse. */
describe('with an RSA key', () => {
  let camera: BareCamera;
  before(async () => {
    camera = await BareCamera.start({ https: { enabled: true, ...(await rsaFiles()) } });
  });
  after(() => camera.stop());

  for (const [ciphers, what] of [
    ['AES128-GCM-SHA256', 'RSA key exchange'],
    ['AES256-SHA', 'RSA key exchange and CBC'],
    ['ECDHE-RSA-AES128-SHA', 'CBC'],
    ['ECDHE-RSA-AES256-SHA384', 'CBC with SHA-2'],
    ['DHE-RSA-AES128-GCM-SHA256', 'finite-field Diffie-Hellman'],
  ] as const)
    test(`refuses ${ciphers}: ${what}`, async () => {
      const options = { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` } as const;
      await assert.rejects(handshake(camera.port, options), /HANDSHAKE_FAILURE|handshake failure/i);
    });

  for (const ciphers of [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ])
    test(`takes ${ciphers}`, async () => {
      const socket = await handshake(camera.port, { maxVersion: 'TLSv1.2', ciphers });
      assert.equal(socket.getCipher().name, ciphers);
      socket.destroy();
    });

  test('tells browsers to insist on a configured certificate', async () => {
    const { responses } = await raw(camera.port, get(camera.port), { expect: 1, tls: true });
    assert.match(responses[0]?.headers.get('strict-transport-security') ?? '', /^max-age=\d{7,}$/);
  });
});

/** A certificate with an RSA key. */
async function rsaFiles(): Promise<{ certificate: string; key: string }> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=camera',
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    keys: keys as never,
    signingAlgorithm: algorithm,
  });
  const files = { certificate: path.join(folder, 'rsa.pem'), key: path.join(folder, 'rsa.key') };
  writeFileSync(files.certificate, certificate.toString('pem'));
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  writeFileSync(files.key, PemConverter.encode(key, 'PRIVATE KEY'));
  return files;
}

describe('the source of the certificate', () => {
  const clock = new ManualClock();
  clock.nowWallUnixMs = Date.now();

  async function open(
    options: {
      stateFolder?: string;
      https?: Partial<typeof plain>;
      clock?: ManualClock;
      log?: LogLine[];
    } = {},
  ): Promise<CertificateSource> {
    const line =
      (level: string) =>
      (message: string, fields: LogLine['fields'] = {}): void => {
        options.log?.push({ level, message, fields });
      };
    return CertificateSource.open({
      https: { ...plain, enabled: true, ...options.https },
      stateFolder: options.stateFolder ?? mkdtempSync(path.join(folder, 'state-')),
      names: () => ['camera', 'localhost'],
      clock: options.clock ?? clock,
      logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    });
  }

  test('keeps its own certificate over restarts, and its key to itself again', async () => {
    const stateFolder = mkdtempSync(path.join(folder, 'state-'));
    const { fingerprint, files } = await open({ stateFolder });
    chmodSync(files.key, 0o644);
    assert.equal((await open({ stateFolder })).fingerprint, fingerprint);
    assert.equal(statSync(files.key).mode & 0o777, 0o600);
  });

  const damages: Readonly<Record<string, (files: { certificate: string; key: string }) => void>> = {
    'a key of 0 bytes': ({ key }) => truncateSync(key, 0),
    'half a key': ({ key }) => truncateSync(key, 100),
    'no key': ({ key }) => rmSync(key),
    'half a certificate': ({ certificate }) => truncateSync(certificate, 300),
    'no certificate': ({ certificate }) => rmSync(certificate),
    'a certificate of zeros': ({ certificate }) => writeFileSync(certificate, Buffer.alloc(900)),
    'a certificate of a megabyte': ({ certificate }) =>
      writeFileSync(certificate, Buffer.alloc(1 << 20, 'a')),
  };
  for (const [what, damage] of Object.entries(damages))
    test(`makes its own certificate anew after ${what}`, async () => {
      const stateFolder = mkdtempSync(path.join(folder, 'state-'));
      const { fingerprint, files } = await open({ stateFolder });
      damage(files);
      const log: LogLine[] = [];
      const next = await open({ stateFolder, log });
      assert.notEqual(next.fingerprint, fingerprint);
      if (!what.startsWith('no ')) assert.ok(log.some(({ level }) => level === 'warn'));
      assert.equal((await open({ stateFolder })).fingerprint, next.fingerprint);
    });

  test('makes its own certificate anew when the halves do not fit', async () => {
    const stateFolder = mkdtempSync(path.join(folder, 'state-'));
    const { fingerprint, files } = await open({ stateFolder });
    const other = await open();
    writeFileSync(files.key, readFileSync(other.files.key));
    assert.ok(![fingerprint, other.fingerprint].includes((await open({ stateFolder })).fingerprint));
  });

  test('makes its own certificate anew when its time is over, at a start and while it runs', async () => {
    const stateFolder = mkdtempSync(path.join(folder, 'state-'));
    const later = new ManualClock();
    later.nowWallUnixMs = Date.now();
    const source = await open({ stateFolder, clock: later });
    const first = source.fingerprint;
    assert.equal(await source.refresh(), false);
    later.advanceUs(900 * dayMs * 1000);
    assert.equal(await source.refresh(), true);
    assert.notEqual(source.fingerprint, first);
    assert.equal((await open({ stateFolder, clock: later })).fingerprint, source.fingerprint);
  });

  test('a clock that was never set spoils no certificate, and one made under it is valid today', async () => {
    const stateFolder = mkdtempSync(path.join(folder, 'state-'));
    const unset = new ManualClock();
    unset.nowWallUnixMs = 5000;
    const { fingerprint, files } = await open({ stateFolder, clock: unset });
    const certificate = new X509Certificate(readFileSync(files.certificate));
    assert.ok(Date.parse(certificate.validFrom) < Date.UTC(2025, 0, 2));
    assert.ok(Date.parse(certificate.validTo) > Date.UTC(2027, 0, 1));
    const set = new ManualClock();
    set.nowWallUnixMs = Date.UTC(2026, 0, 1);
    assert.equal((await open({ stateFolder, clock: set })).fingerprint, fingerprint);
    assert.equal((await open({ stateFolder, clock: unset })).fingerprint, fingerprint);
  });

  test('a state folder that cannot be written is state-failed', () =>
    assert.rejects(open({ stateFolder: path.join(folder, 'not', 'there') }), { code: 'state-failed' }));

  test('names the configured file that cannot be used', async () => {
    const good = await pair('good');
    const other = await pair('other');
    const ed25519 = path.join(folder, 'ed25519.key');
    const { generateKeyPairSync } = await import('node:crypto');
    writeFileSync(
      ed25519,
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['/nowhere/certificate.pem', good.key, /\/nowhere\/certificate\.pem/],
      [good.certificate, '/nowhere/key.pem', /\/nowhere\/key\.pem/],
      [good.key, good.key, /the certificate, .*good\.key/],
      [good.certificate, good.certificate, /the key of the certificate, .*good\.pem/],
      [good.certificate, other.key, /other\.key.*does not belong/],
      [good.certificate, ed25519, /only RSA and ECDSA/],
      ['/dev/zero', good.key, /\/dev\/zero.*larger than/],
      [folder, good.key, /tls-/],
    ];
    for (const [certificate, key, message] of cases)
      await assert.rejects(open({ https: { certificate, key } }), { code: 'config-invalid', message });
  });

  test('warns of a configured certificate whose time is over, and serves it all the same', async () => {
    const files = await pair('old', Date.UTC(2021, 0, 1));
    const late = new ManualClock();
    late.nowWallUnixMs = Date.UTC(2035, 0, 1);
    const log: LogLine[] = [];
    const source = await open({ https: files, clock: late, log });
    assert.ok(source.fingerprint);
    assert.ok(log.some(({ level, message }) => level === 'warn' && /is over/.test(message)));
  });
});

test('takes a renewed certificate without a restart, keeps connections, and keeps the old one while the files do not fit', async () => {
  const [files, next, last] = [await pair('renewed'), await pair('next'), await pair('last')];
  const camera = await BareCamera.start({
    https: { enabled: true, certificate: files.certificate, key: files.key },
    certificateLookMs: 10,
  });
  try {
    const first = await fingerprintAt(camera.port);
    const standing = await handshake(camera.port);
    const replace = (from: { certificate: string; key: string }, what: 'certificate' | 'key'): void =>
      writeFileSync(files[what], readFileSync(from[what]));
    const untilOther = async (than: string): Promise<string> => {
      for (;;) {
        const now = await fingerprintAt(camera.port).catch(() => than);
        if (now !== than) return now;
      }
    };
    replace(next, 'certificate');
    while (!camera.log.some(({ message }) => message === 'the old certificate stays'))
      await new Promise(resolve => setImmediate(resolve));
    assert.equal(await fingerprintAt(camera.port), first);
    replace(next, 'key');
    const second = await untilOther(first);
    assert.equal(second, new X509Certificate(readFileSync(next.certificate)).fingerprint256);
    standing.write(get(camera.port));
    const [chunk] = (await once(standing, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 200/);
    replace(last, 'key');
    replace(last, 'certificate');
    await untilOther(second);
    standing.destroy();
  } finally {
    await camera.stop();
  }
});

describe('the port of plain HTTP beside TLS', () => {
  let camera: BareCamera;
  let redirectPort: number;
  before(async () => {
    // A free port, most likely still free a moment later.
    const probe = await BareCamera.start();
    redirectPort = probe.port;
    await probe.stop();
    camera = await BareCamera.start({
      https: { enabled: true, redirectPort },
      http: { names: ['cam.example'] },
    });
  });
  after(() => camera.stop());

  const ask = async (host: string, target = '/', method = 'GET') => {
    const request = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    return (await raw(redirectPort, request)).responses[0];
  };

  test('sends on with path and query to the same host', async () => {
    for (const method of ['GET', 'POST', 'HEAD']) {
      const response = await ask(`127.0.0.1:${redirectPort}`, '/a/b?c=d&e', method);
      assert.equal(response?.status, 308);
      assert.equal(response?.headers.get('location'), `https://127.0.0.1:${camera.port}/a/b?c=d&e`);
    }
    const named = await ask('CAM.example', '//evil.example/');
    assert.equal(named?.headers.get('location'), `https://CAM.example:${camera.port}//evil.example/`);
    const six = await ask(`[::1]:${redirectPort}`);
    assert.equal(six?.headers.get('location'), `https://[::1]:${camera.port}/`);
    assert.deepEqual(camera.seen, []);
  });

  test('sends nobody on to a foreign host', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${redirectPort}`,
      `127.0.0.1:${camera.port}`,
      'a@127.0.0.1',
    ]) {
      const response = await ask(host);
      assert.ok(response && [400, 421].includes(response.status), host);
      assert.equal(response.headers.get('location'), undefined);
    }
  });

  test('is listed as listen-failed when the port is taken', async () => {
    const taken = BareCamera.start({ https: { enabled: true, redirectPort } });
    await assert.rejects(taken, { code: 'listen-failed' });
  });
});
