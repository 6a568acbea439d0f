import type { Digest } from '../../src/base/digest.ts';
import { suiteStore } from './suite-store.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const binding = (digit: string, source: string, root = 'bafyroot') => ({
  diffId: digest(digit),
  root,
  tarSize: 10,
  source,
});

describe('bindings and values', () => {
  const { store, reopen } = suiteStore('bindings');

  it('let what was computed here replace what was signed, never the reverse', async () => {
    await store.bindings.put(binding('1', 'peer', 'signed'));
    expect(store.bindings.get(digest('1'))).toEqual(binding('1', 'peer', 'signed'));
    await store.bindings.put(binding('1', 'here', 'computed'));
    await store.bindings.put(binding('1', 'peer', 'signed'));
    await reopen();
    expect(store.bindings.get(digest('1'))).toEqual(binding('1', 'here', 'computed'));
    expect(store.bindings.get(digest('2'))).toBeUndefined();
  });

  it('forget all that one peer signed', async () => {
    await store.bindings.put(binding('1', 'liar'));
    await store.bindings.put(binding('2', 'honest'));
    await store.bindings.put(binding('3', 'here'));
    await store.bindings.put(binding('4', 'liar'));
    await store.bindings.dropSource('liar');
    await reopen();
    expect(['1', '2', '3', '4'].map((digit) => store.bindings.get(digest(digit))?.source)).toEqual([
      undefined,
      'honest',
      'here',
      undefined,
    ]);
  });

  it('remember the diffID of a blob', async () => {
    await store.bindings.putBlob(digest('5'), digest('6'));
    await reopen();
    expect(store.bindings.diffIdOf(digest('5'))).toBe(digest('6'));
    expect(store.bindings.diffIdOf(digest('6'))).toBeUndefined();
  });

  it('keep JSON values by name', async () => {
    await store.values.put('trust', ['a', 'b']);
    await store.values.put('version', 7);
    await store.values.delete('version');
    await store.values.delete('never');
    await reopen();
    expect(store.values.get('trust')).toEqual(['a', 'b']);
    expect(store.values.get('version')).toBeUndefined();
  });
});
