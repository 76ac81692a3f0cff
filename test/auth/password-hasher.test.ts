import assert from 'node:assert/strict';
import { test } from 'node:test';
import argon2 from 'argon2';
import { PooledPasswordHasher } from '../../src/auth/password-hasher.ts';
import { formatPhc, parsePhc } from '../../src/auth/phc-string.ts';
import { configurationSchema } from '../../src/config/schema.ts';
import type { GroupSchema, ValueSchema } from '../../src/config/value-schema.ts';
import { cheapCost, DirectTasks } from './direct-tasks.ts';

function makeHasher(cost = cheapCost) {
  const tasks = new DirectTasks();
  return { tasks, hasher: new PooledPasswordHasher(tasks, cost) };
}

const accounts = configurationSchema.properties.accounts as GroupSchema;
const defaultOf = (key: string): unknown => (accounts.properties[key] as ValueSchema).default;

test('as shipped a hash costs 19456 KiB, 2 passes and 1 lane', () => {
  assert.equal(defaultOf('argon2MemoryKib'), 19456);
  assert.equal(defaultOf('argon2Iterations'), 2);
  assert.equal(defaultOf('argon2Parallelism'), 1);
});

test('makes argon2id PHC strings of the configured cost with a salt of their own, which the library itself accepts', async () => {
  const { hasher } = makeHasher();
  const [one, other] = [await hasher.hash('correct horse'), await hasher.hash('correct horse')];
  assert.match(one, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, other);
  assert.equal(await argon2.verify(one, 'correct horse'), true);
  assert.equal(await argon2.verify(other, 'correct'), false);
});

test('finds the candidate that matches, the first of two, or none', async () => {
  const { hasher } = makeHasher();
  const phc = await hasher.hash('a:b');
  assert.equal(await hasher.verify(phc, ['a:b']), 0);
  assert.equal(await hasher.verify(phc, ['a:b:label', 'a:b']), 1);
  assert.equal(await hasher.verify(phc, ['a:b', 'a:b']), 0);
  assert.equal(await hasher.verify(phc, ['A:b', 'a:b ', '', 'a']), -1);
  assert.equal(await hasher.verify(phc, []), -1);
});

test('é composed or decomposed is the same password, and 64 emoji are one', async () => {
  const { hasher } = makeHasher();
  const phc = await hasher.hash('caf\u00e9');
  assert.equal(await hasher.verify(phc, ['cafe\u0301']), 0);
  const emoji = '🎥'.repeat(64);
  assert.equal(await hasher.verify(await hasher.hash(emoji), [emoji]), 0);
  assert.equal(await hasher.verify(await hasher.hash('\u1112\u1161\u11ab'), ['\ud55c']), 0);
});

test('for no user at all the same candidates are compared with a dummy of the same form and cost', async () => {
  const { tasks, hasher } = makeHasher();
  const phc = await hasher.hash('secret one');
  await hasher.verify(phc, ['x', 'y']);
  const real = tasks.lastVerify;
  assert.equal(await hasher.verify(undefined, ['x', 'y']), -1);
  const dummy = tasks.lastVerify;
  assert.deepEqual(dummy.passwords, real.passwords);
  assert.equal(dummy.phc.length, real.phc.length);
  assert.deepEqual(parsePhc(dummy.phc)?.cost, parsePhc(real.phc)?.cost);
});

test('the dummy can imitate a stored hash whose cost is not the configured one', async () => {
  const phc = await makeHasher().hasher.hash('secret one');
  const { tasks, hasher } = makeHasher({ ...cheapCost, argon2Iterations: 3 });
  assert.equal(await hasher.verify(undefined, ['secret one'], phc), -1);
  assert.deepEqual(parsePhc(tasks.lastVerify.phc)?.cost, cheapCost);
});

test('a full queue refuses users and strangers alike', async () => {
  const { tasks, hasher } = makeHasher();
  const phc = await hasher.hash('secret one');
  tasks.isBusy = true;
  for (const stored of [phc, undefined])
    await assert.rejects(hasher.verify(stored, ['secret one']), { code: 'hashing-busy' });
  await assert.rejects(hasher.hash('secret one'), { code: 'hashing-busy' });
});

for (const [what, parameters] of [
  ['more than 64 MiB', 'm=65537,t=2,p=1'],
  ['terabytes', 'm=4294967295,t=2,p=1'],
  ['a thousand passes', 'm=19456,t=1000,p=1'],
  ['no pass', 'm=19456,t=0,p=1'],
  ['a single pass', 'm=19456,t=1,p=1'],
  ['256 lanes', 'm=19456,t=2,p=256'],
  ['no lane', 'm=19456,t=2,p=0'],
  ['less memory than its lanes need', 'm=7,t=2,p=1'],
  ['parameters twice', 'm=1024,t=2,p=1,m=65536'],
] as const)
  test(`a stored hash that asks for ${what} is refused without computing`, async () => {
    const { tasks, hasher } = makeHasher();
    const phc = (await hasher.hash('x')).replace('m=1024,t=2,p=1', parameters);
    tasks.requests.length = 0;
    await assert.rejects(hasher.verify(phc, ['x']), { code: 'accounts-damaged' });
    assert.equal(tasks.requests.length, 0);
    await assert.rejects(tasks.run('verify-password', { phc, passwords: ['x'] }), {
      code: 'accounts-damaged',
    });
    assert.equal(hasher.needsRehash(phc), true);
  });

test('what is no argon2id hash at all is refused', async () => {
  const { hasher } = makeHasher();
  const good = await hasher.hash('x');
  const others = ['', 'x', good.replace('argon2id', 'argon2i'), good.replace('v=19', 'v=16'), `${good}=`];
  for (const phc of [...others, `${good}\n`, ` ${good}`, good.slice(0, -30), `${good}$${'a'.repeat(1e6)}`])
    await assert.rejects(hasher.verify(phc, ['x']), { code: 'accounts-damaged' }, phc.slice(0, 80));
});

test('the errors of a damaged hash hold neither the hash nor the password', async () => {
  const { hasher } = makeHasher();
  await hasher.verify('$argon2id$secret', ['hunter2']).catch((error: Error) => {
    assert.doesNotMatch(JSON.stringify([error.message, error]), /hunter2|argon2id/);
  });
});

test('a hash is to be made anew when any of its parameters is not the configured one', async () => {
  const { hasher } = makeHasher();
  const phc = await hasher.hash('x');
  assert.equal(hasher.needsRehash(phc), false);
  for (const other of [
    { ...cheapCost, argon2MemoryKib: 1025 },
    { ...cheapCost, argon2Iterations: 3 },
    { ...cheapCost, argon2Parallelism: 2 },
  ])
    assert.equal(makeHasher(other).hasher.needsRehash(phc), true);
  const shortSalt = formatPhc({ ...parsePhc(phc)!, salt: new Uint8Array(9) });
  assert.equal(hasher.needsRehash(shortSalt), true);
});

test('measures one hash', async () => {
  const { tasks, hasher } = makeHasher();
  const ms = await hasher.measure();
  assert.ok(ms > 0 && ms < 10_000);
  assert.deepEqual(
    tasks.requests.map(({ kind }) => kind),
    ['hash-password'],
  );
});
