import { wrapWords } from '../config/wrap-words.ts';
import { EXIT_CODE_MEANINGS } from './exit-codes.ts';

/** What `dkr-shp` alone prints begins with this, to the letter as it was announced in 2015. */
const ANNOUNCED = `shp - containers at hyperspeed

shp (starship) uses IPFS, a p2p merkle-dag transport, to move around container images. This is dkr-shp, the docker-specific tool for shp.

COMMANDS
dkr-shp init                  initialize a shp station
dkr-shp start                 start the shp station
dkr-shp push <docker-id>      publish given docker image on this host
dkr-shp pull <ipfs-hash>      pull down docker image, add it to docker
`;

/** The announced commands stand in {@link ANNOUNCED}; these come after them. */
const MORE: readonly (readonly [usage: string, summary: string])[] = [
  ['stop', 'stop the shp station'],
  ['mount <image> <dir>', 'mount an image before it is here'],
  ['umount <dir>', 'unmount an image'],
  ['profile <image>', 'show what an image uses first'],
  ['status', 'show what the station is and does'],
  ['ls', 'list the images of this station'],
  ['inspect <image>', 'show one image and its layers'],
  ['rm <image>', 'forget an image'],
  ['gc', 'give back the space of what nothing needs'],
  ['verify <image>', 'check all bytes of an image'],
  ['peers', 'list connected peers'],
  ['addrs', "list this station's addresses"],
  ['connect <addr>', 'connect to a peer'],
  ['trust add|rm|ls', 'whose names and layers are believed'],
  ['net [key]', 'show the network, or its key'],
  ['debug dag|layer|fuse', 'show a block, a layer index, or how mounts are served'],
  ['completion <shell>', 'print completion for bash, zsh or fish'],
  ['help <command>', 'show the options of a command'],
];

const OPTIONS: readonly (readonly [option: string, summary: string])[] = [
  ['--root <dir>', 'where the station lives (SHP_ROOT, else /var/lib/shp)'],
  ['--json', 'results as JSON on stdout, progress as lines of JSON on stderr'],
  ['--version', 'print the version'],
  ['--help', 'print this'],
];

/** The help of `dkr-shp` itself. */
export function programHelp(): string {
  const codes = EXIT_CODE_MEANINGS.map(([code, meaning]) => `${code} ${meaning}`).join('; ');
  return [
    ANNOUNCED,
    ...MORE.map(([usage, summary]) => `${`dkr-shp ${usage}`.padEnd(30)}${summary}`),
    '',
    'OPTIONS (before the command)',
    ...OPTIONS.map(([option, summary]) => `${option.padEnd(30)}${summary}`),
    '',
    'EXIT CODES',
    ...wrapWords(codes, 100),
    '',
  ].join('\n');
}
