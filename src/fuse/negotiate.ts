import type { SessionTerms } from './session-terms.ts';
import type { InitReply, InitRequest } from './wire/init.ts';
import { INIT_FLAGS, INIT_FLAGS2 } from './wire/init-flags.ts';

export const FUSE_MAJOR = 7;
/** The newest protocol whose operations are all in the table. */
export const FUSE_MINOR = 45;
/** Linux 5.4: everything the session relies on without asking. */
export const FUSE_OLDEST_MINOR = 31;
export const PAGE_SIZE = 4096;
/** 1 MiB a request: what the kernel allows without a sysctl. */
const MAX_PAGES = 256;
/** Less is not allowed; a write never comes, since the mount is read-only. */
const MAX_WRITE = 4096;
const MAX_READAHEAD = 1 << 20;
/**
 * Readahead goes in the background, and so may wait for a peer. Beyond this many the kernel holds back all background
 * reads, those of local files too: it must be above the number of requests that may wait.
 */
const MAX_BACKGROUND = 8192;
const CONGESTION = (MAX_BACKGROUND * 3) / 4;
/** One overlay on top of a passthrough file is all that the kernel allows. */
const MAX_STACK_DEPTH = 1;

export type Negotiation =
  | { readonly kind: 'agreed'; readonly terms: SessionTerms; readonly reply: InitReply }
  /** A later major: the kernel comes again with ours. */
  | { readonly kind: 'again'; readonly reply: InitReply }
  /** Older than {@link FUSE_OLDEST_MINOR}. */
  | { readonly kind: 'too-old' };

/** What to answer to the kernel's INIT: each flag that both want, and nothing that needs one it lacks. */
export function negotiate(offer: InitRequest, settings: { readonly passthrough: boolean }): Negotiation {
  if (offer.major > FUSE_MAJOR) return { kind: 'again', reply: { major: FUSE_MAJOR, minor: FUSE_MINOR } };
  if (offer.major < FUSE_MAJOR || offer.minor < FUSE_OLDEST_MINOR) return { kind: 'too-old' };
  const flags = (anyOf(INIT_FLAGS) & offer.flags) >>> 0;
  // flags2 counts only where both sides have said INIT_EXT
  const offered2 = (flags & INIT_FLAGS.INIT_EXT) === 0 ? 0 : offer.flags2;
  const wanted2 = anyOf(INIT_FLAGS2) & (settings.passthrough ? -1 : ~INIT_FLAGS2.PASSTHROUGH);
  const flags2 = (wanted2 & offered2) >>> 0;
  const minor = Math.min(offer.minor, FUSE_MINOR);
  const terms: SessionTerms = {
    kernelMinor: offer.minor,
    minor,
    flags,
    flags2,
    maxReadahead: Math.min(offer.maxReadahead, MAX_READAHEAD),
    // without the flag the kernel takes 32 pages
    maxPages: (flags & INIT_FLAGS.MAX_PAGES) === 0 ? 32 : MAX_PAGES,
    passthrough: (flags2 & INIT_FLAGS2.PASSTHROUGH) !== 0,
    resend: (flags2 & INIT_FLAGS2.HAS_RESEND) !== 0,
    noOpendir: (flags & INIT_FLAGS.NO_OPENDIR_SUPPORT) !== 0,
  };
  const reply: InitReply = {
    major: FUSE_MAJOR,
    minor,
    maxReadahead: terms.maxReadahead,
    flags,
    flags2,
    maxBackground: MAX_BACKGROUND,
    congestionThreshold: CONGESTION,
    maxWrite: MAX_WRITE,
    timeGranularity: 1,
    maxPages: (flags & INIT_FLAGS.MAX_PAGES) === 0 ? 0 : MAX_PAGES,
    maxStackDepth: terms.passthrough ? MAX_STACK_DEPTH : 0,
  };
  return { kind: 'agreed', terms, reply };
}

function anyOf(flags: Readonly<Record<string, number>>): number {
  return Object.values(flags).reduce((all, flag) => all | flag, 0);
}
