import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { parseIdentity, readIdentity, stationTag } from '../../src/config/identity-file.ts';
import { initRoot, readNetworkKey } from '../../src/config/init-root.ts';
import { networkKeyOf } from '../../src/config/network-key.ts';
import { VERSION } from '../../src/config/version.ts';

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shp-init-'));
  root = join(folder, 'a', 'root');
});
afterEach(() => rmSync(folder, { recursive: true }));

const mode = (path: string) => statSync(path).mode & 0o777;

function snapshot(): Record<string, string> {
  return Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name), 'hex')]));
}

describe('initRoot', () => {
  it('makes a root that only its owner can read', async () => {
    const result = await initRoot(root);
    expect(result).toMatchObject({ root, created: true, network: 'public' });
    expect(readdirSync(root).sort()).toEqual(['identity.key', 'settings.toml']);
    expect(mode(root)).toBe(0o700);
    expect(mode(join(root, 'identity.key'))).toBe(0o600);
    expect((await readIdentity(root)).peerId).toBe(result.peerId);
  });

  it('changes nothing the second time', async () => {
    const first = await initRoot(root);
    const before = snapshot();
    expect(await initRoot(root)).toEqual({ ...first, created: false });
    expect(snapshot()).toEqual(before);
  });

  it("makes an identity that libp2p reads, with libp2p's own peer id", async () => {
    const { peerId } = await initRoot(root);
    const key = privateKeyFromProtobuf((await readIdentity(root)).privateKey);
    expect(key.type).toBe('Ed25519');
    expect(peerIdFromPrivateKey(key).toString()).toBe(peerId);
  });

  it('keeps a network key of a private network, and tells when it is another', async () => {
    const networkKey = networkKeyOf(Buffer.alloc(32, 7));
    const first = await initRoot(root, { networkKey });
    expect(first).toMatchObject({ network: 'private', fingerprint: networkKey.fingerprint });
    expect(mode(join(root, 'swarm.key'))).toBe(0o600);
    expect(readFileSync(join(root, 'swarm.key'), 'utf8')).toBe(
      `/key/swarm/psk/1.0.0/\n/base16/\n${'07'.repeat(32)}\n`,
    );
    expect((await readNetworkKey(root))?.psk).toEqual(Buffer.alloc(32, 7));
    expect(await initRoot(root, { networkKey })).toEqual({ ...first, created: false });
    const other = initRoot(root, { networkKey: networkKeyOf(Buffer.alloc(32, 8)) });
    await expect(other).rejects.toMatchObject({ kind: 'exists', code: 'other-network' });
  });

  it('does not move a public station to a private network', async () => {
    await initRoot(root);
    const before = snapshot();
    const second = initRoot(root, { networkKey: networkKeyOf(Buffer.alloc(32, 7)) });
    await expect(second).rejects.toMatchObject({ code: 'other-network' });
    expect(snapshot()).toEqual(before);
  });

  it('goes on where an init was cut short before the identity', async () => {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    writeFileSync(join(root, 'settings.toml'), 'share = "none"\n');
    expect(await initRoot(root)).toMatchObject({ created: true });
    expect(readFileSync(join(root, 'settings.toml'), 'utf8')).toBe('share = "none"\n');
  });

  it('refuses a root that is a file, and one below a file', async () => {
    writeFileSync(join(folder, 'a'), '');
    await expect(initRoot(join(folder, 'a'))).rejects.toMatchObject({ code: 'root-is-file' });
    await expect(initRoot(root)).rejects.toMatchObject({ code: 'root-is-file' });
  });

  it('refuses a path whose socket could not be made', async () => {
    await expect(initRoot(join(folder, 'x'.repeat(100)))).rejects.toMatchObject({
      code: 'root-path-too-long',
    });
  });

  it('says that an identity is no identity', async () => {
    await initRoot(root);
    writeFileSync(join(root, 'identity.key'), 'nonsense');
    await expect(initRoot(root)).rejects.toMatchObject({ kind: 'corrupt', code: 'bad-identity' });
    await expect(readIdentity(join(folder, 'none'))).rejects.toMatchObject({ code: 'not-initialized' });
  });
});

describe('an identity', () => {
  it('of a known seed has the known peer id', () => {
    // The seed is 32 times 0x01; made by libp2p 3.3.
    const seed = Buffer.alloc(32, 1);
    const publicKey = Buffer.from('8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c', 'hex');
    const bytes = Buffer.concat([Buffer.from('08011240', 'hex'), seed, publicKey]);
    const { peerId } = parseIdentity(bytes, 'identity.key');
    expect(peerId).toBe(peerIdFromPrivateKey(privateKeyFromProtobuf(bytes)).toString());
    expect(stationTag(peerId)).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the version', () => {
  it('is that of the package', () => {
    expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  });
});
