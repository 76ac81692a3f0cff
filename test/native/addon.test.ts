import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { loadAddon } from '../../src/native/addon.ts';
import { chooseDataPlane } from '../../src/native/choose-data-plane.ts';
import { nativeAddon } from '../support/native-addon.ts';

describe('loading the addon', () => {
  it('says why a file that is named cannot be loaded, and looks for no other', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-test-'));
    try {
      const damaged = path.join(folder, 'damaged.node');
      writeFileSync(damaged, 'no ELF file');
      for (const file of [damaged, path.join(folder, 'missing.node'), ''])
        assert.match(missing(loadAddon({ OPENCAMERAD_ADDON: file })), /^it cannot be loaded: \S/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the choice of the data plane', () => {
  const none = () => ({ missing: 'it was not built' });

  it('is JavaScript without the addon, and says why', () => {
    for (const choice of ['auto', 'native'] as const) {
      const { plane, fallbackReason } = chooseDataPlane(choice, none);
      assert.equal(plane.name, 'javascript');
      assert.equal(fallbackReason, 'it was not built');
    }
  });

  it('is JavaScript where it is asked for: nothing is loaded, and nothing to be said', () => {
    const { plane, fallbackReason } = chooseDataPlane('javascript', () => assert.fail('loaded'));
    assert.equal(plane.name, 'javascript');
    assert.equal(fallbackReason, undefined);
  });

  it('is JavaScript where the node binary lacks what the addon takes from it', () => {
    const addon = { dataPlane: { missing: 'no OpenSSL' } } as never;
    const { plane, fallbackReason } = chooseDataPlane('auto', () => ({ addon, path: '' }));
    assert.equal(plane.name, 'javascript');
    assert.equal(fallbackReason, 'no OpenSSL');
  });

  const addon = nativeAddon();
  if (addon)
    it('is the native one where the addon is', () => {
      const { plane, fallbackReason } = chooseDataPlane('auto', () => ({ addon, path: '' }));
      assert.equal(plane.name, 'native');
      assert.equal(fallbackReason, undefined);
    });
});

function missing(loaded: ReturnType<typeof loadAddon>): string {
  assert.ok('missing' in loaded);
  return loaded.missing;
}
