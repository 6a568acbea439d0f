import { checkCidrRange, checkListenAddress, checkMultiaddr } from './network-address.ts';
import type { Setting } from './setting.ts';
import { choice, count, duration, flag, list, size, text } from './setting-kinds.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** https://github.com/ipfs/kubo, config/bootstrap_peers.go: the public network's well-known peers. */
const PUBLIC_BOOTSTRAP = [
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb',
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt',
  '/dnsaddr/va1.bootstrap.libp2p.io/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8',
  '/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ',
] as const;

/**
 * Every setting there is. A value comes from, the later wins: the default here, `<root>/settings.toml`, `--set
 * <name>=<value>` of `start` (lists separated by commas), which is the way for containers. There is no environment
 * variable but SHP_ROOT, which names the root itself.
 */
export const SETTINGS = {
  share: choice(['auto', 'pushed', 'pulled', 'none'], {
    default: 'auto',
    reason:
      'What other stations may see and fetch: only what was pushed here, also what was pulled, or nothing. auto is pushed on the public network and pulled on a private one.',
  }),
  keepBlobs: choice(['auto', 'always', 'never'], {
    default: 'auto',
    reason:
      'Whether the compressed blobs of an image are kept beside its content, so that an export has the original manifest digest. auto keeps them for images that came with compressed layers.',
  }),
  'network.listen': list({
    default: ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'],
    unit: 'addresses',
    check: checkListenAddress,
    reason: 'Where the station listens for peers. Port 0 takes any free port.',
  }),
  'network.announce': list({
    default: [],
    unit: 'addresses',
    check: checkMultiaddr,
    reason:
      'Addresses to tell peers in place of the ones listened on, e.g. behind a port forward. Empty: what is listened on and seen.',
  }),
  'network.bootstrap': list({
    default: PUBLIC_BOOTSTRAP,
    unit: 'addresses',
    check: checkMultiaddr,
    reason:
      'Peers to dial at start. The default list is that of the public IPFS network; on a private network it is not used, only addresses you add are.',
  }),
  'network.mdns': flag({
    default: true,
    reason: 'Find stations on the local network by multicast DNS.',
  }),
  'network.lanOnly': flag({
    default: false,
    reason: 'Only peers with private, link-local or loopback addresses are dialled or let in.',
  }),
  'network.allow': list({
    default: [],
    unit: 'address ranges',
    check: checkCidrRange,
    reason: 'Only peers inside these ranges are dialled or let in. Empty: all.',
  }),
  'network.deny': list({
    default: [],
    unit: 'address ranges',
    check: checkCidrRange,
    reason: 'Peers inside these ranges are never dialled nor let in; stronger than network.allow.',
  }),
  'network.maxConnections': count({
    default: 300,
    unit: 'connections',
    least: 1,
    reason: 'Above this the least used connections are closed.',
  }),
  'names.trustMembers': choice(['names', 'none', 'all'], {
    default: 'names',
    reason:
      'What any member of a private network is believed: names of images, nothing, or also that a layer has a certain content (all). Stations you trust explicitly come first in any case.',
  }),
  'names.wait': duration({
    default: 10_000,
    least: 100,
    reason: 'How long a pull waits for an answer to an id or name before it is unknown.',
  }),
  'ids.full': flag({
    default: false,
    reason: 'Refuse short ids: a short id can be forged, a full one cannot.',
  }),
  'fetch.window': size({
    default: 32 * MiB,
    least: MiB,
    most: GiB,
    reason: 'Content on its way to this station at one time, over all peers; bounds memory.',
  }),
  'fetch.wait': duration({
    default: 30_000,
    least: 1000,
    reason: 'A fetch that no peer moved on for so long fails.',
  }),
  'fetch.treeMax': size({
    default: 256 * MiB,
    least: MiB,
    most: 2 * GiB,
    reason: 'The most that one answer with the indexes of an image may hold.',
  }),
  'fetch.background': choice(['auto', 'off'], {
    default: 'auto',
    reason:
      'Whether the rest of an image that was mounted or pulled lazily comes by itself, behind its start-up profile and its start, and always after what a read waits for. off brings only what is read, and a little that a start is expected to read; the image then needs peers for as long as it is used.',
  }),
  'fetch.backgroundRate': size({
    default: 0,
    unit: 'bytes a second',
    reason:
      'The most that such a fetch in the background takes; 0 is no limit. What a read waits for is never slowed down.',
  }),
  'fetch.backgroundQuiet': duration({
    default: 2000,
    reason:
      'The background of an image begins when no read of it has waited for so long, at the latest after profile.window: what a program needs to start has the link for itself until then.',
  }),
  'serve.uploadLimit': size({
    default: 0,
    unit: 'bytes a second',
    reason: 'The most that is sent to all peers together; 0 is no limit.',
  }),
  'mount.wait': duration({
    default: 30_000,
    least: 100,
    reason:
      'How long a read of a mounted image waits for content that no peer sends, or for a station that is stopped, before it fails with EIO.',
  }),
  'mount.wholeAtOpen': size({
    default: MiB,
    most: GiB,
    reason:
      'A file of a mounted image up to this size is fetched whole when it is opened, a larger one as it is read. 1 MiB is a tenth of a second at 100 Mbit/s; what is opened is mostly read whole.',
  }),
  'mount.readahead': size({
    default: 128 * 1024,
    most: 64 * MiB,
    reason:
      "What the kernel reads ahead of a file's reader in a mounted image (read_ahead_kb). 128 KiB is Linux's own default; more brings large files faster over a near link, and unneeded bytes over a far one.",
  }),
  'mount.passthrough': choice(['auto', 'off'], {
    default: 'auto',
    reason:
      'Whether the kernel reads files that are here whole by itself, without asking the mount server (FUSE passthrough, Linux 6.9). auto: where it can.',
  }),
  'profile.record': flag({
    default: true,
    reason:
      'Record which content the first start of a mounted image uses, in its order. With that profile later starts, here and on stations that fetch from here, ask for it in one batch.',
  }),
  'profile.window': duration({
    default: 30_000,
    least: 1000,
    reason: 'How long after a mount its reads count as the start.',
  }),
  'profile.runs': count({
    default: 3,
    least: 1,
    most: 64,
    unit: 'runs',
    reason: 'How many recorded starts are merged into one profile; the oldest gives way.',
  }),
  'store.cacheMax': size({
    default: 20 * GiB,
    reason: 'Images that nothing pins are dropped, least recently used first, above this.',
  }),
  'store.keepInterrupted': duration({
    default: 24 * 3_600_000,
    reason:
      'What an interrupted push or pull stored is kept so long, so that a second run goes on where the first stopped.',
  }),
  'store.reserve': size({
    default: 512 * MiB,
    reason:
      'A push or pull fails with a clear error before less than this is free on the disk, so that running containers can go on writing.',
  }),
  'limits.entries': count({
    default: 4_000_000,
    least: 1,
    unit: 'entries',
    reason: 'Entries of one layer. The largest images seen hold some 500,000.',
  }),
  'limits.layerSize': size({
    default: 256 * GiB,
    least: 1024,
    reason: 'Bytes of one uncompressed layer.',
  }),
  'limits.ratio': count({
    default: 200,
    least: 2,
    unit: 'to 1',
    reason:
      'A compressed layer that grows by more than this, past the first 64 MiB, is taken for a bomb. Sparse databases reach 50.',
  }),
  'limits.json': size({
    default: 4 * MiB,
    least: 4096,
    most: 64 * MiB,
    reason:
      'A manifest, index, config or other JSON. 4 MiB is what the distribution specification asks registries to take.',
  }),
  'limits.layers': count({
    default: 512,
    least: 1,
    most: 4096,
    unit: 'layers',
    reason: 'Layers of one manifest. Engines stop at about 128.',
  }),
  'limits.manifests': count({
    default: 256,
    least: 1,
    most: 4096,
    unit: 'manifests',
    reason: 'Manifests of one index: platforms and attestations.',
  }),
  'limits.path': size({
    default: 4095,
    least: 255,
    most: 65_535,
    reason:
      "A path in a layer. 4095 is Linux's PATH_MAX without its ending zero; what is longer could not be unpacked.",
  }),
  'limits.linkTarget': size({
    default: 4095,
    least: 255,
    most: 65_535,
    reason: 'The target of a link; the same PATH_MAX.',
  }),
  'limits.pax': size({
    default: MiB,
    least: 4096,
    most: 64 * MiB,
    reason:
      "One block of PAX records, one GNU long name or one sparse map of a tar; what Go's archive/tar takes.",
  }),
  'limits.sparseFragments': count({
    default: 262_144,
    least: 1,
    unit: 'fragments',
    reason: 'Stored runs of one sparse file.',
  }),
  'limits.xattrs': count({
    default: 1024,
    unit: 'attributes',
    reason: 'Extended attributes of one entry.',
  }),
  'limits.xattrSize': size({
    default: 64 * 1024,
    most: MiB,
    reason: "The value of one extended attribute; Linux's XATTR_SIZE_MAX.",
  }),
  'limits.entryXattrs': size({
    default: 256 * 1024,
    most: 16 * MiB,
    reason: 'Names and values of all extended attributes of one entry.',
  }),
  'limits.layerXattrs': size({
    default: 64 * MiB,
    most: GiB,
    reason: 'All distinct sets of extended attributes of one layer; they are held in memory.',
  }),
  'limits.pushes': count({
    default: 4,
    least: 1,
    most: 64,
    unit: 'pushes',
    reason: 'Pushes that run at one time; more wait for their turn.',
  }),
  'limits.pulls': count({
    default: 4,
    least: 1,
    most: 64,
    unit: 'pulls',
    reason: 'Pulls that run at one time; more wait for their turn.',
  }),
  'log.level': choice(['debug', 'info', 'warn', 'error'], {
    default: 'info',
    reason: 'The least that is written to <root>/station.log.',
  }),
  'docker.host': text({
    default: 'unix:///var/run/docker.sock',
    unit: 'unix:///path or tcp://host:port',
    check: checkDockerHost,
    reason: 'The Docker engine that push reads from and pull loads into; DOCKER_HOST is stronger.',
  }),
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

export type SettingName = keyof typeof SETTINGS;

/** Every setting's value by its full name: `settings['fetch.window']`. Sizes are bytes, durations milliseconds. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};

/** In the order of the table, which is the order of the file and the page. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The row of a name as code that walks the whole table needs it: the value's type is no longer known. */
export function settingRow(name: SettingName): Setting<unknown> {
  return SETTINGS[name] as Setting<unknown>;
}

function checkDockerHost(host: string): string {
  if (!/^(unix:\/\/\/.+|tcp:\/\/.+:\d+)$/.test(host)) {
    throw new Error(
      `${JSON.stringify(host)} is not an engine's address: give unix:///path or tcp://host:port`,
    );
  }
  return host;
}
