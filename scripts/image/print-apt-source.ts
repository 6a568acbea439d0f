/** Prints one line for sources.list: this machine's own mirror and keyring, with another suite. */
import { existsSync } from 'node:fs';
import { findAptSource } from './apt-source.ts';

const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const source = findAptSource();
const keyring = source.keyring ?? (existsSync(DEBIAN_KEYRING) ? DEBIAN_KEYRING : undefined);
const options = keyring === undefined ? '' : ` [signed-by=${keyring}]`;
process.stdout.write(`deb${options} ${source.mirror} ${process.argv[2] ?? source.suite} main\n`);
