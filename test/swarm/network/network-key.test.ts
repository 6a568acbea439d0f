import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatNetworkKey,
  makeNetworkKey,
  networkKeyOf,
  parseKeyFile,
  parseNetworkKey,
} from '../../../src/config/network-key.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const HEX = '0123456789abcdef'.repeat(4);
const PSK = Buffer.from(HEX, 'hex');

describe('network key', () => {
  it('takes 64 hex digits as the key itself, in either case', async () => {
    for (const text of [HEX, HEX.toUpperCase(), ` ${HEX}\n`]) {
      const key = await parseNetworkKey(text);
      expect(Buffer.from(key.psk).equals(PSK)).toBe(true);
      expect(key.warning).toBeUndefined();
    }
  });

  it('has the first 8 hex digits of the sha256 of the key as fingerprint', () => {
    expect(networkKeyOf(Buffer.alloc(32, 1)).fingerprint).toBe('72cd6e84');
  });

  it('stretches any other text the same way on every station', async () => {
    const key = await parseNetworkKey('QmPzugFx3ysr8BujxZ3dkBiRYnuS2D63ndkAdq3W7J');
    expect(Buffer.from(key.psk).toString('hex')).toBe(
      'e60eba6073204978946b83e182606197f24c7444cc474bfd0062adcc5da63edc',
    );
    expect(key.warning).toBeUndefined();
  });

  it('warns of a text below 20 characters', async () => {
    const key = await parseNetworkKey('short');
    expect(key.psk).toHaveLength(32);
    expect(key.warning).toContain('5 characters');
  });

  it('reads the key files of Kubo in all encodings and writes the first', () => {
    const forms = [
      Buffer.from(formatNetworkKey(PSK)),
      Buffer.from(`/key/swarm/psk/1.0.0/\r\n/base16/\r\n${HEX}`),
      Buffer.from(`/key/swarm/psk/1.0.0/\n/base64/\n${PSK.toString('base64')}\n`),
      Buffer.concat([Buffer.from('/key/swarm/psk/1.0.0/\n/bin/\n'), PSK]),
    ];
    for (const form of forms) {
      expect(Buffer.from(parseKeyFile(form, 'swarm.key').psk).equals(PSK)).toBe(true);
    }
    expect(formatNetworkKey(PSK)).toBe(`/key/swarm/psk/1.0.0/\n/base16/\n${HEX}\n`);
  });

  it('keeps a binary key that ends in a line feed', () => {
    const psk = Buffer.alloc(32, 0x0a);
    const file = Buffer.concat([Buffer.from('/key/swarm/psk/1.0.0/\n/bin/\n'), psk, Buffer.from('\n')]);
    expect(Buffer.from(parseKeyFile(file, 'x').psk).equals(psk)).toBe(true);
  });

  it('reads what looks like a path as a file, and names it when it cannot', async () => {
    using folder = tempFolder('key');
    const file = join(folder.path, 'my.key');
    const key = makeNetworkKey();
    writeFileSync(file, formatNetworkKey(key.psk));
    expect((await parseNetworkKey(file)).fingerprint).toBe(key.fingerprint);
    for (const missing of [join(folder.path, 'no'), './no/such', 'no-such-swarm.key']) {
      await expect(parseNetworkKey(missing)).rejects.toMatchObject({
        code: 'no-key-file',
        fields: { file: missing },
      });
    }
  });

  it.each([
    ['', 'fewer'],
    ['/key/swarm/psk/1.0.0/\n/base16/\n', '32 bytes'],
    ['/key/swarm/psk/1.0.0/\n/base16/\nzz', '32 bytes'],
    ['/key/swarm/psk/1.0.0/\n/base99/\nAAAA', '32 bytes'],
    ['/key/swarm/psk/2.0.0/\n/base16/\nAAAA', 'first line'],
    [`/key/swarm/psk/1.0.0/\n/base16/\n${HEX}${HEX}`, '32 bytes'],
    ['x'.repeat(5000), '4096'],
  ])('refuses a bad key file %#', (text, why) => {
    expect(() => parseKeyFile(Buffer.from(text), 'the.key')).toThrow(
      expect.objectContaining({ code: 'bad-key-file', message: expect.stringContaining(why) }),
    );
  });

  it('refuses an empty key', async () => {
    await expect(parseNetworkKey('  \n')).rejects.toMatchObject({ code: 'empty-network-key' });
  });
});
