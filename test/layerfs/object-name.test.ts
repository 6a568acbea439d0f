import fc from 'fast-check';
import { createObjectNamer } from '../../src/layerfs/object-name.ts';
import { indexOf } from './stored-layers.ts';

const objectName = createObjectNamer();

it("an object's file has its CID's text as its name", () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .constantFrom(0, 262_143, 262_144, 262_145, 600_000)
      .map((length) => new Uint8Array(length).fill(length)),
  );
  fc.assert(
    fc.property(fc.array(content, { minLength: 1, maxLength: 8 }), (contents) => {
      const index = indexOf(
        contents.map((bytes, at) => ({ type: 'file' as const, path: `file-${at}`, content: bytes })),
      );
      for (let object = 0; object < index.objectCount; object++)
        expect(objectName(index, object)).toBe(index.objectCid(object).toString());
    }),
    { numRuns: 50 },
  );
});
