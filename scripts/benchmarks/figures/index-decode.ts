import { createHash } from 'node:crypto';
import { decodeLayerIndex, encodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { createLayerDraft } from '../../../src/image/layer/layer-draft.ts';
import { DEFAULT_LAYER_LIMITS } from '../../../src/image/layer/layer-limits.ts';
import type { Benchmark } from '../context.ts';
import { sampledFigure } from '../figure.ts';
import { sample } from '../sampling.ts';

const ENTRIES = 100_000;
const TARGET = { atMost: 100 };

/** As in a distribution: a directory for every nine files, one file in five a copy of another, a few long ones. */
function makeIndex(): Uint8Array {
  const draft = createLayerDraft(DEFAULT_LAYER_LIMITS);
  const nothing = Buffer.alloc(0);
  const common = { linkPath: nothing, uid: 0, gid: 0, mtimeNanos: 0, devMajor: 0, devMinor: 0, xattrs: [] };
  for (let at = 0; at < ENTRIES; at++) {
    const directory = `usr/share/package-${Math.floor(at / 1000)}/part-${Math.floor(at / 10) % 100}`;
    const isDirectory = at % 10 === 0;
    const size = isDirectory ? 0 : at % 100 === 1 ? 1_000_000 : (at * 37) % 20_000;
    const hash = createHash('sha256')
      .update(String(at % 5 === 4 ? at - 1 : at))
      .digest();
    const leaves = size > 262_144 ? Buffer.concat([hash, hash, hash, hash]) : undefined;
    const entry = {
      ...common,
      path: Buffer.from(isDirectory ? directory : `${directory}/file-${at}.data`),
      type: isDirectory ? ('directory' as const) : ('file' as const),
      mode: isDirectory ? 0o755 : 0o644,
      size,
      storedSize: size,
      mtime: 1_700_000_000 + at,
    };
    draft.add(
      entry,
      isDirectory
        ? undefined
        : {
            hash,
            size: at % 5 === 4 ? ((at - 1) * 37) % 20_000 : size,
            ...(leaves === undefined ? {} : { leaves }),
          },
    );
  }
  return encodeLayerIndex(draft.finish());
}

export const indexDecode: Benchmark = {
  name: 'decode of a layer index',
  run: async (context) => {
    const bytes = makeIndex();
    const decode = async () => {
      // A copy, as it comes out of the store; read through once, so that nothing is left for later.
      const copy = new Uint8Array(bytes);
      const start = performance.now();
      const index = decodeLayerIndex(copy);
      const elapsed = performance.now() - start;
      if (index.entryCount < ENTRIES) throw new Error(`${index.entryCount} entries came back`);
      return elapsed;
    };
    return [
      sampledFigure(
        `decode of an index of ${ENTRIES} entries`,
        'ms',
        await sample(decode, TARGET, context.sampling),
        TARGET,
      ),
    ];
  },
};
