import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../base/fault.ts';
import type { CommandContext } from '../command-context.ts';
import { engineSource } from './engine-source.ts';
import { fileSource, inputSource } from './file-source.ts';
import { layoutSource } from './layout-source.ts';
import type { PushSource } from './push-source.ts';

/** Prefixes that say what a path holds, as skopeo's transports are written. */
const FILE_PREFIX = /^(?:docker-archive|oci-archive):(.+)$/s;
const LAYOUT_PREFIX = /^oci:(.+)$/s;
const ARCHIVE_NAME = /\.(?:tar|tar\.gz|tgz|tar\.zst)$/;

/**
 * What `push <x>` means. A path is meant when `x` says so (`oci:…`, `docker-archive:…`, `./…`, `/…`, `-` for stdin),
 * ends like an archive, or has a slash and is there as a file or an OCI layout; anything else is an image of the engine.
 * @throws Fault `not-found/no-such-file`, `invalid/not-an-image`, and what the engine says
 */
export async function findSource(
  argument: string,
  names: readonly string[],
  context: CommandContext,
): Promise<PushSource> {
  if (argument === '-') return inputSource(names, context.input);
  const layout = LAYOUT_PREFIX.exec(argument);
  if (layout !== null) return layoutSource(argument, ...splitTag(layout[1] as string), names);
  const file = FILE_PREFIX.exec(argument);
  const path = file === null ? argument : (file[1] as string);
  if (file === null && !looksLikePath(argument)) return engineSource(argument, names, context);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new Fault('not-found', 'no-such-file', `there is no file ${path}`, { fields: { path } });
  }
  if (!found.isDirectory()) return fileSource(argument, path, names);
  if (existsSync(join(path, 'oci-layout'))) return layoutSource(argument, path, undefined, names);
  throw new Fault(
    'invalid',
    'not-an-image',
    `the folder ${path} is no OCI layout (it has no file oci-layout)`,
    {
      fields: { path },
    },
  );
}

function looksLikePath(argument: string): boolean {
  if (/^(\/|\.\.?(\/|$))/.test(argument)) return true;
  const isFile = () => statSync(argument, { throwIfNoEntry: false })?.isFile() === true;
  if (ARCHIVE_NAME.test(argument)) return isFile();
  return argument.includes('/') && (isFile() || existsSync(join(argument, 'oci-layout')));
}

/** `./layout:tag`: folders may have colons, and so may tags (`name:1`); the shortest folder that is a layout is meant. */
function splitTag(text: string): [path: string, tag: string | undefined] {
  if (existsSync(join(text, 'oci-layout'))) return [text, undefined];
  for (let colon = text.indexOf(':', 1); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    const path = text.slice(0, colon);
    if (existsSync(join(path, 'oci-layout'))) return [path, text.slice(colon + 1)];
  }
  return [text, undefined];
}
