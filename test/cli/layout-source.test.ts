import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import type { CommandContext } from '../../src/cli/command-context.ts';
import { findSource } from '../../src/cli/sources/find-source.ts';
import { layoutSource } from '../../src/cli/sources/layout-source.ts';
import { buildImage, writeOciLayout } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { tempFolder } from '../support/temp-folder.ts';

const one = buildImage({ layers: [{ entries: [file('a', 'a')], compression: 'gzip' }], names: ['hello:1'] });
const two = buildImage({
  layers: [{ entries: [file('a', 'a')], compression: 'gzip' }, [file('b', Buffer.alloc(2_000_000, 1))]],
  names: ['hello:2'],
  architecture: 'arm64',
});

const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`;

async function pack(path: string, tag?: string): Promise<[string, Buffer][]> {
  const stream = await layoutSource(`oci:${path}`, path, tag, []).open(new AbortController().signal);
  return unpack(stream);
}

async function unpack(stream: Readable): Promise<[string, Buffer][]> {
  const tar = extract();
  const read = (async () => {
    const files: [string, Buffer][] = [];
    for await (const entry of tar) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      files.push([entry.header.name, Buffer.concat(chunks)]);
    }
    return files;
  })();
  stream.on('error', (error) => tar.destroy(error));
  stream.pipe(tar);
  return read;
}

describe('an OCI layout folder', () => {
  it('becomes a tar: marker, index, then each blob once, a manifest before its config before its layers', async () => {
    using folder = tempFolder('layout');
    writeOciLayout(folder.path, [one, two]);
    const files = await pack(folder.path);
    expect(files.map(([name]) => name)).toEqual([
      'oci-layout',
      'index.json',
      blob(one.manifestDigest),
      blob(one.imageId),
      blob(one.layers[0]!.digest),
      blob(two.manifestDigest),
      blob(two.imageId),
      blob(two.layers[1]!.digest),
    ]);
    for (const [name, bytes] of files) expect(bytes.equals(readFileSync(join(folder.path, name)))).toBe(true);
  });

  it('of several platforms has the index first', async () => {
    using folder = tempFolder('layout');
    writeOciLayout(folder.path, [one, two], { multiPlatform: 'hello:all' });
    const names = (await pack(folder.path)).map(([name]) => name);
    expect(names).toHaveLength(9);
    expect(names.indexOf(blob(one.manifestDigest))).toBe(3);
  });

  it('with a tag has that manifest alone, and lists the tags there are', async () => {
    using folder = tempFolder('layout');
    writeOciLayout(folder.path, [one, two]);
    const files = new Map(await pack(folder.path, 'hello:1'));
    expect([...files.keys()]).toHaveLength(5);
    expect(JSON.parse(files.get('index.json')?.toString() ?? '').manifests).toHaveLength(1);
    await expect(pack(folder.path, 'hello:3')).rejects.toMatchObject({
      code: 'no-such-tag',
      message: expect.stringContaining('it has: hello:1, hello:2'),
    });
  });

  it('is told from its tag, which may have slashes and colons', async () => {
    using folder = tempFolder('layout');
    const tagged = buildImage({ layers: [[file('a', 'a')]], names: ['jbenet/hello:1'] });
    writeOciLayout(join(folder.path, 'a:b'), [tagged, two]);
    const names = async (argument: string) => {
      const source = await findSource(argument, [], {} as CommandContext);
      const stream = await source.open(new AbortController().signal);
      return (await unpack(stream)).length;
    };
    expect(await names(`oci:${folder.path}/a:b:jbenet/hello:1`)).toBe(5);
    expect(await names(`oci:${folder.path}/a:b`)).toBe(9);
    expect(await names(`${folder.path}/a:b`)).toBe(9);
  });

  it('leaves what is missing to the station, and what is no layout is refused', async () => {
    using folder = tempFolder('layout');
    writeOciLayout(folder.path, [one]);
    rmSync(join(folder.path, blob(one.imageId)));
    expect(await pack(folder.path)).toHaveLength(4);
    writeFileSync(join(folder.path, 'index.json'), '{"manifests":1}');
    await expect(pack(folder.path)).rejects.toMatchObject({ kind: 'invalid', code: 'not-an-image' });
  });

  it('never reads outside the folder, whatever the manifests say', async () => {
    using folder = tempFolder('layout');
    writeOciLayout(folder.path, [one]);
    const evil = {
      schemaVersion: 2,
      manifests: [{ digest: 'sha256:../../../../etc/passwd' }, { digest: 1 }, null, one],
    };
    writeFileSync(join(folder.path, 'index.json'), JSON.stringify(evil));
    expect((await pack(folder.path)).map(([name]) => name)).toEqual(['oci-layout', 'index.json']);
  });
});
