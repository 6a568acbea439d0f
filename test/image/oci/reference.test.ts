import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import {
  hasRegistryHost,
  parseReference,
  printFamiliar,
  printReference,
  printShort,
  publishedNames,
} from '../../../src/image/oci/reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('an image name', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest', 'alpine:latest', 'alpine'],
    ['alpine:3', 'docker.io/library/alpine:3', 'alpine:3', 'alpine:3'],
    ['jbenet/go-ipfs', 'docker.io/jbenet/go-ipfs:latest', 'jbenet/go-ipfs:latest', 'jbenet/go-ipfs'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine:latest', 'alpine'],
    ['docker.io/library/alpine:latest', 'docker.io/library/alpine:latest', 'alpine:latest', 'alpine'],
    ['index.docker.io/a/b:c', 'docker.io/a/b:c', 'a/b:c', 'a/b:c'],
    ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest', 'library/a/b'],
    ['localhost/x', 'localhost/x:latest', 'localhost/x:latest', 'localhost/x'],
    ['localhost:5000/x:1', 'localhost:5000/x:1', 'localhost:5000/x:1', 'localhost:5000/x:1'],
    ['host:5000/a/b', 'host:5000/a/b:latest', 'host:5000/a/b:latest', 'host:5000/a/b'],
    ['ghcr.io/x/y:Z_9.-', 'ghcr.io/x/y:Z_9.-', 'ghcr.io/x/y:Z_9.-', 'ghcr.io/x/y:Z_9.-'],
    ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest', '[::1]:5000/x'],
    ['Host/x', 'Host/x:latest', 'Host/x:latest', 'Host/x'],
    ['localhost:5000', 'docker.io/library/localhost:5000', 'localhost:5000', 'localhost:5000'],
    ['a__b/c.d/e--f', 'docker.io/a__b/c.d/e--f:latest', 'a__b/c.d/e--f:latest', 'a__b/c.d/e--f'],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`, `alpine@${digest}`],
    [`x/y:1@${digest}`, `docker.io/x/y:1@${digest}`, `x/y:1@${digest}`, `x/y:1@${digest}`],
    [
      `a:latest@${digest}`,
      `docker.io/library/a:latest@${digest}`,
      `a:latest@${digest}`,
      `a:latest@${digest}`,
    ],
  ])('%s is %s', (text, full, familiar, short) => {
    const reference = parseReference(text);
    expect([printReference(reference), printFamiliar(reference), printShort(reference)]).toEqual([
      full,
      familiar,
      short,
    ]);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it('says whether it names a registry', () => {
    expect(hasRegistryHost(parseReference('a/b'))).toBe(false);
    expect(hasRegistryHost(parseReference('docker.io/b'))).toBe(false);
    expect(hasRegistryHost(parseReference('corp.example/b'))).toBe(true);
  });

  it.each([
    [''],
    [':latest'],
    ['Alpine'],
    ['a/B'],
    ['a//b'],
    ['/a'],
    ['a/'],
    ['a:'],
    ['a:-x'],
    ['a:b:c'],
    ['a@'],
    ['a@sha256:12'],
    ['a@md5:d41d8cd98f00b204e9800998ecf8427e'],
    ['a b'],
    ['a\n'],
    ['a___b'],
    ['-a/b'],
    ['a-'],
    ['a..b'],
    ['../x'],
    ['-host.com/x'],
    ['host.com:port/x'],
    ['https://a/b'],
    ['größe'],
    ['0123456789abcdef'.repeat(4)],
    [`a:${'t'.repeat(129)}`],
    [`x/${'n'.repeat(254)}`],
    ['a'.repeat(5000)],
    ['a-'.repeat(500)],
    [`${'a-'.repeat(500)}.com/x`],
  ])('%j is none', (text) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'bad-reference',
        fields: expect.objectContaining({ reference: text.slice(0, 300) }),
      }),
    );
  });

  it('may have 255 and 128 characters', () => {
    expect(parseReference(`x/${'n'.repeat(253)}:${'t'.repeat(128)}`).tag).toHaveLength(128);
  });

  it('is a Reference that prints to itself or a Fault, for any text', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9.:/@_-]{1,40}$/));
    fc.assert(
      fc.property(text, (name) => {
        try {
          const reference = parseReference(name);
          expect(parseReference(printReference(reference))).toEqual(reference);
          expect(parseReference(printFamiliar(reference))).toEqual(reference);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the names of a published root', () => {
  it.each([
    [[], []],
    [['docker.io/jbenet/go-ipfs:latest'], ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest']],
    [
      ['alpine:3', 'docker.io/library/alpine:latest', 'alpine'],
      ['alpine', 'alpine:3', 'alpine:latest'],
    ],
    [
      ['x/y:latest', 'x/y/z:1'],
      ['x/y/z:1', 'x/y:latest'],
    ],
    [
      ['x/y:latest', 'x/yz:1'],
      ['x/y', 'x/y:latest', 'x/yz:1'],
    ],
    [[`alpine@${digest}`], []],
    [[`alpine:3@${digest}`], ['alpine:3']],
    [['localhost:5000', 'localhost:5000/x:1'], ['localhost:5000/x:1']],
  ])('%j are %j', (names, published) => expect(publishedNames(names)).toEqual(published));

  it('never need one path as a name and as a folder', () => {
    const part = fc.constantFrom('a', 'b', 'ab');
    const name = fc.tuple(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', ':latest', ':1'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        const published = publishedNames(names.map(([parts, tag]) => parts.join('/') + tag));
        for (const one of published) {
          expect(published.filter((other) => other.startsWith(`${one}/`))).toEqual([]);
        }
      }),
    );
  });

  it('refuse what is no name', () => {
    expect(() => publishedNames(['a', 'B'])).toThrow(expect.objectContaining({ code: 'bad-reference' }));
  });
});
