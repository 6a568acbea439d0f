import type {
  LazyImageView,
  MountServerView,
  MountsView,
  MountView,
  ReadsView,
} from '../observe/control/mount-views.ts';
import { figureCount, figureSize } from './figures.ts';

/** A name of the first column, or nothing where the row goes on with the one before; and what is said. */
export type Row = readonly [name: string, value: string];

/** What `status` says of mounts and of images that are still on their way. */
export function mountRows({ mounts, lazy, server }: MountsView): Row[] {
  const mounted = new Set(mounts.map(({ image }) => image.manifestRoot));
  return [
    ...mounts.flatMap(rowsOfMount),
    ...lazy
      .filter((image) => !mounted.has(image.manifestRoot) && image.state !== 'complete')
      .map((image): Row => ['lazy', `${imageName(image)}: ${hereWords(image)}`]),
    ...(server === undefined ? [] : [['mounts by', serverWords(server)] as const]),
  ];
}

/** A name of it, else the beginning of its id, else its root. */
export function imageName({ names, imageId, manifestRoot }: LazyImageView): string {
  const name = names.find((one) => !names.includes(`${one}:latest`)) ?? names[0];
  return name ?? imageId?.replace('sha256:', '').slice(0, 12) ?? manifestRoot;
}

/** `45.0 MB of 300 MB here (15 %), fetching`. */
export function hereWords({ bytes, here, state, why, wireBytes }: LazyImageView): string {
  if (state === 'complete') {
    // Said because somebody who expects a lazy mount would wonder.
    return wireBytes === 0
      ? `all of it was here (${figureSize(bytes)}), nothing to fetch`
      : `all here (${figureSize(bytes)})`;
  }
  const percent = bytes === 0 ? 100 : Math.floor((100 * here) / bytes);
  const words = state === 'quarantined' ? 'quarantined, reads fail' : state;
  return `${figureSize(here)} of ${figureSize(bytes)} here (${percent} %), ${words}${why === undefined ? '' : `: ${why}`}`;
}

/** How reads go, and why not by passthrough. */
export function modeWords({ mode, modeWhy, reads }: MountView): string {
  const opens =
    reads === undefined
      ? ''
      : `, ${figureCount(reads.passthroughOpens, 'open')} by passthrough, ${reads.readOpens} by read`;
  return `${mode}${modeWhy === undefined ? '' : ` (${modeWhy})`}${opens}`;
}

export function serverWords(server: MountServerView): string {
  const parts = [
    server.mountServer === undefined ? 'no mount server' : `mount server ${server.mountServer}`,
    server.keeper === undefined ? 'no keeper' : `keeper ${server.keeper}`,
    figureCount(server.restarts, 'restart'),
    ...(server.memory === 0 ? [] : [figureSize(server.memory)]),
    ...(server.protocol === '' ? [] : [`FUSE ${server.protocol}`]),
    `passthrough: ${server.passthrough ? 'yes' : 'no'}${server.passthroughWhy === undefined ? '' : ` (${server.passthroughWhy})`}`,
    `resend: ${server.resend ? 'yes' : 'no'}`,
    ...(server.why === undefined ? [] : [server.why]),
  ];
  return parts.join(', ');
}

function rowsOfMount(mount: MountView): Row[] {
  const { target, image, writable, upper, gone } = mount;
  const state = gone === true ? 'unmounted by somebody else' : writable ? 'read-write' : 'read-only';
  return [
    ['mount', `${target}: ${imageName(image)}, ${state}`],
    ['', `${hereWords(image)}; start-up profile: ${image.profile}`],
    ['', modeWords(mount)],
    ...(mount.reads === undefined ? [] : [['', readWords(mount.reads)] as const]),
    ...Object.entries(image.byPeer).map(([peer, bytes]): Row => ['', `${figureSize(bytes)} from ${peer}`]),
    ...(upper === undefined ? [] : [['', `written to ${upper}`] as const]),
  ];
}

function readWords({ waited, waitP50, waitP99, waiting, failed }: ReadsView): string {
  const times = waited === 0 ? '' : ` (p50 ${milliseconds(waitP50)}, p99 ${milliseconds(waitP99)})`;
  return `${figureCount(waited, 'read')} waited for a peer${times}, ${waiting} waiting now, ${failed} failed`;
}

function milliseconds(time: number): string {
  return time >= 10_000 ? `${(time / 1000).toFixed(1)} s` : `${Math.round(time)} ms`;
}
