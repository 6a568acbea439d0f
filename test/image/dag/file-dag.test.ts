import { CHUNK_SIZE, fileDag, objectCid } from '../../../src/image/dag/file-dag.ts';

const hash = new Uint8Array(32).fill(5);

describe('fileDag', () => {
  it.each([
    [0, 0],
    [0, 2],
    [CHUNK_SIZE, 2],
    [CHUNK_SIZE + 1, 1],
    [CHUNK_SIZE + 1, 1.5],
    [-1, 1],
    [Number.NaN, 1],
    [2 ** 60, 1],
  ])('refuses for %d bytes %d leaves', (size, leaves) => {
    expect(() => fileDag(size, new Uint8Array(leaves * 32))).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'leaf-count' }),
    );
  });

  it('of one leaf is that raw block, and keeps no view of the leaves given', () => {
    const leaves = hash.slice();
    const dag = fileDag(CHUNK_SIZE, leaves);
    leaves.fill(0);
    expect(dag.cid.equals(objectCid(CHUNK_SIZE, hash))).toBe(true);
    expect(dag).toMatchObject({ size: CHUNK_SIZE, tsize: CHUNK_SIZE, nodes: [] });
  });
});

describe('objectCid', () => {
  it('is raw up to one chunk, dag-pb beyond', () => {
    expect(objectCid(0, hash).code).toBe(0x55);
    expect(objectCid(CHUNK_SIZE, hash).code).toBe(0x55);
    expect(objectCid(CHUNK_SIZE + 1, hash).code).toBe(0x70);
  });
});
