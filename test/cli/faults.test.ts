import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGE_ROOT, PEER, ROOT } from '../doors/control/memory-station.ts';
import { suiteStation } from './fixture/suite-station.ts';

const { station, folder, close, shp, here } = suiteStation('cli-faults');

describe('--json', () => {
  it('prints one document on stdout, events as lines on stderr', async () => {
    const { code, out, err } = await shp(['--json', 'pull', 'c1d9bf8d8844', '--store-only']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ address: `/ipfs/${ROOT}/c1d9bf8d8844`, imageRoot: IMAGE_ROOT });
    const events = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events).toEqual(['layer', 'note', 'layer', 'total']);
  });

  it('prints a fault as a line with kind, code and fields', async () => {
    const { code, out, err } = await shp(['inspect', 'nothing', '--json']);
    expect([code, out]).toEqual([3, '']);
    expect(JSON.parse(err)).toEqual({
      event: 'fault',
      fault: {
        kind: 'not-found',
        code: 'unknown-image',
        message: 'no image nothing is here',
        fields: { image: 'nothing' },
      },
    });
  });

  it.each([
    ['status'],
    ['ls'],
    ['peers'],
    ['addrs'],
    ['net'],
    ['gc'],
    ['inspect', 'c1d9bf8d8844'],
    ['debug', 'dag', ROOT],
    ['trust', 'ls'],
    ['completion', 'bash'],
  ])('%s is a document', async (...args) => {
    const { code, out } = await here([...args, '--json']);
    expect(code).toBe(0);
    expect(out.trimEnd()).not.toContain('\n');
    JSON.parse(out);
  });
});

describe('faults', () => {
  it.each<[string, string[], number, RegExp]>([
    ['an unknown image', ['pull', 'nothing'], 3, /^error: no image nothing is here\n$/],
    ['a defect', ['pull', 'internal'], 1, /^error: a defect\n/],
    [
      'a broken image',
      ['verify', 'jbenet/go-ipfs:latest'],
      7,
      /layer 0: another diffID\nerror: .* is not whole: 1 problem\n$/,
    ],
    ['a peer trusted twice', ['trust', 'rm', PEER], 3, /is not trusted/],
    ['a file that is not there', ['push', './nothing.tar'], 3, /no file \.\/nothing\.tar/],
    ['a folder() that is no layout', ['push', '/tmp'], 2, /no OCI layout/],
    ['an unknown command', ['pul'], 2, /unknown command 'pul'\n\(Did you mean pull\?\)/],
    ['an unknown option', ['pull', '--frm', 'x'], 2, /unknown option '--frm'/],
    ['a missing argument', ['push'], 2, /missing required argument 'image'/],
    ['two targets', ['pull', 'x', '-o', 'a.tar', '--store-only'], 2, /exclude each other/],
    ['an unknown format', ['pull', 'x', '-o', 'a.tar', '--format', 'zip'], 2, /no format "zip"/],
    ['an unknown shell', ['completion', 'csh'], 2, /bash, zsh, fish/],
    ['a refused archive', ['push', '@/refused.tar'], 7, /^error: the archive is no archive\n$/],
  ])('%s: exit code and message', async (_, args, code, message) => {
    writeFileSync(join(folder(), 'refused.tar'), Buffer.alloc(20_000_000));
    const result = await here(args.map((arg) => arg.replace('@', folder())));
    expect(result.err).toMatch(message);
    expect([result.code, result.out]).toEqual([code, '']);
  });

  it('Ctrl-C aborts the operation in the station, and says that it goes on later', async () => {
    for (const [args, name] of [
      [['pull', 'hang'], 'pull'],
      [['push', './hang.tar'], 'push'],
    ] as const) {
      writeFileSync(join(folder(), 'hang.tar'), Buffer.alloc(5_000_000));
      const begun = station.begun();
      const result = await shp(args, {
        cwd: folder(),
        during: (child) => void begun.then(() => child.kill('SIGINT')),
      });
      expect(result).toEqual({
        code: 130,
        out: '',
        err: 'interrupted; run it again: it goes on where it stopped\n',
      });
      expect(station.aborted).toContain(name);
    }
  });

  it('a station that dies in the middle is named', async () => {
    const begun = station.begun();
    const result = shp(['pull', 'hang']);
    await begun;
    await close();
    expect(await result).toMatchObject({ code: 4, err: expect.stringContaining('the station is stopping') });
  });
});
