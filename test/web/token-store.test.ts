/** Where the page keeps its access token. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenStore } from '../../src/web/session/token-store.ts';

/** As much of the Web Storage standard as the page uses. */
class FakeStorage {
  readonly items = new Map<string, string>();
  isFull = false;

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError');
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

test('a token stays in its tab unless its owner wants to stay logged in', () => {
  const [tab, browser] = [new FakeStorage(), new FakeStorage()];
  const store = new TokenStore(tab, browser);
  assert.equal(store.read(), undefined);
  store.write('one', false);
  assert.deepEqual(store.read(), { token: 'one', stays: false });
  assert.equal(browser.items.size, 0);
  assert.equal(new TokenStore(new FakeStorage(), browser).read(), undefined);
  store.write('two', true);
  assert.equal(tab.items.size, 0);
  assert.deepEqual(new TokenStore(new FakeStorage(), browser).read(), { token: 'two', stays: true });
});

test('forgets its own token, and not one that another tab has stored since', () => {
  const browser = new FakeStorage();
  const store = new TokenStore(new FakeStorage(), browser);
  store.write('old', true);
  new TokenStore(new FakeStorage(), browser).write('new', true);
  store.forget('old');
  assert.deepEqual(store.read(), { token: 'new', stays: true });
  store.forget('new');
  assert.equal(store.read(), undefined);
});

test('notices that another tab has logged out, and nothing else', () => {
  const browser = new FakeStorage();
  const store = new TokenStore(new FakeStorage(), browser);
  const event = { storageArea: browser, key: 'camera-token', oldValue: 'mine', newValue: null };
  assert.ok(store.isRemoval(event, 'mine'));
  assert.ok(store.isRemoval({ storageArea: browser, key: null, oldValue: null, newValue: null }, 'mine'));
  assert.ok(!store.isRemoval({ ...event, newValue: 'next' }, 'mine'));
  assert.ok(!store.isRemoval({ ...event, oldValue: 'other' }, 'mine'));
  assert.ok(!store.isRemoval({ ...event, key: 'other' }, 'mine'));
  assert.ok(!store.isRemoval({ ...event, storageArea: new FakeStorage() }, 'mine'));
});

test('does without when the browser keeps nothing', () => {
  const full = new FakeStorage();
  full.isFull = true;
  for (const store of [new TokenStore(full, full), new TokenStore(null, null)]) {
    store.write('one', true);
    store.write('one', false);
    assert.equal(store.read(), undefined);
    store.forget('one');
  }
});
