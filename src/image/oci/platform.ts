import { Fault } from '../../base/fault.ts';

/** As an index, a config or a user names it; see {@link normalizePlatform} for the one spelling of each. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Windows build, e.g. `10.0.17763.1234`. Not compared. */
  readonly osVersion?: string;
}

const COMPONENT = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * `os/arch[/variant]`, normalised.
 * @param machine lets a lone architecture stand for this machine's system, and a lone system for its architecture
 * @throws Fault `invalid/bad-platform`
 */
export function parsePlatform(text: string, machine?: Platform): Platform {
  const parts = text.split('/');
  if (parts.length > 3 || !parts.every((part) => COMPONENT.test(part))) throw badPlatform(text);
  const [first = '', second, variant] = parts;
  if (second !== undefined) return normalizePlatform(platform(first, second, variant));
  if (machine === undefined) throw badPlatform(text);
  const system = normalizeOs(first);
  if (KNOWN_SYSTEMS.has(system)) return normalizePlatform({ ...machine, os: system });
  const named = normalizePlatform(platform(machine.os, first, undefined));
  if (KNOWN_ARCHITECTURES.has(named.architecture)) return named;
  throw badPlatform(text);
}

/** `os/arch[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === '' ? [] : [variant])].join('/');
}

/** The one spelling of a platform, as containerd's platforms.Normalize has it: `aarch64` is `arm64`, `armhf` is `arm/v7`. */
export function normalizePlatform(given: Platform): Platform {
  const architecture = given.architecture.toLowerCase();
  const variant = (given.variant ?? '').toLowerCase();
  const alias = ALIASES[architecture];
  const canonical = alias?.architecture ?? architecture;
  const settled = alias?.variant ?? canonicalVariant(canonical, variant);
  return {
    ...platform(normalizeOs(given.os), canonical, settled === '' ? undefined : settled),
    ...(given.osVersion === undefined ? {} : { osVersion: given.osVersion }),
  };
}

/** Node's `process.arch` and `process.platform`. */
export function machinePlatform(arch: string, os: string): Platform {
  return normalizePlatform({ os: NODE_SYSTEMS[os] ?? os, architecture: NODE_ARCHITECTURES[arch] ?? arch });
}

/**
 * What a machine of `wanted` can run, best first, as containerd's platforms.Only has it: arm/v7 also runs v6 and v5,
 * arm64 also arm, amd64/v3 also v2, v1 and 386.
 */
export function runnablePlatforms(wanted: Platform): readonly Platform[] {
  const top = normalizePlatform(wanted);
  const variants = (architecture: string, names: readonly string[]) =>
    names.map((variant) => normalizePlatform({ os: top.os, architecture, variant }));
  switch (top.architecture) {
    case 'amd64':
      return [top, ...variants('amd64', versionsBelow(top.variant, 1)), ...variants('386', [''])];
    case 'arm':
      return [top, ...variants('arm', versionsBelow(top.variant, 5))];
    case 'arm64':
      return [
        top,
        ...variants('arm64', arm64Below(top.variant)),
        ...variants('arm', ['v8', 'v7', 'v6', 'v5']),
      ];
    default:
      return [top];
  }
}

/** 0 for the best match, more for worse ones, `undefined` where `candidate` cannot run on `wanted`. */
export function platformRank(wanted: Platform, candidate: Platform): number | undefined {
  const key = formatPlatform(normalizePlatform(candidate));
  const rank = runnablePlatforms(wanted).findIndex((runnable) => formatPlatform(runnable) === key);
  return rank < 0 ? undefined : rank;
}

/** The candidate that matches best, the first of equals; those without a platform are never taken. */
export function bestPlatform<T extends { readonly platform?: Platform }>(
  wanted: Platform,
  candidates: readonly T[],
): T | undefined {
  let best: { readonly candidate: T; readonly rank: number } | undefined;
  for (const candidate of candidates) {
    const rank = candidate.platform === undefined ? undefined : platformRank(wanted, candidate.platform);
    if (rank !== undefined && rank < (best?.rank ?? Number.POSITIVE_INFINITY)) best = { candidate, rank };
  }
  return best?.candidate;
}

const ALIASES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  i386: { architecture: '386', variant: '' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};

const NODE_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};
const NODE_SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows' };

const KNOWN_SYSTEMS = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris']);
const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

function normalizeOs(os: string): string {
  const lower = os.toLowerCase();
  return lower === 'macos' ? 'darwin' : lower;
}

function canonicalVariant(architecture: string, variant: string): string {
  if (architecture === 'amd64') return variant === 'v1' ? '' : variant;
  if (architecture === 'arm64') return variant === '8' || variant === 'v8' ? '' : variant;
  if (architecture !== 'arm') return variant;
  if (variant === '') return 'v7';
  return /^[5-8]$/.test(variant) ? `v${variant}` : variant;
}

function versionsBelow(variant: string | undefined, lowest: number): string[] {
  const version = /^v?([0-9]{1,2})$/.exec(variant ?? '')?.[1];
  const names: string[] = [];
  for (let below = Number(version ?? 0) - 1; below >= lowest; below--) names.push(`v${below}`);
  return names;
}

/** v9.x runs v9 below it and, since 9.0 came from 8.5, v8.(x+5) and below. */
function arm64Below(variant: string | undefined): string[] {
  const match = /^v([89])(?:\.([0-9]))?$/.exec(variant ?? 'v8');
  if (match === null) return [];
  const minor = Number(match[2] ?? 0);
  const below = (major: number, from: number) =>
    Array.from({ length: Math.max(0, from + 1) }, (_, i) =>
      from === i ? `v${major}` : `v${major}.${from - i}`,
    );
  return match[1] === '9' ? [...below(9, minor - 1), ...below(8, minor + 5)] : below(8, minor - 1);
}

function platform(os: string, architecture: string, variant: string | undefined): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function badPlatform(text: string): Fault {
  const shown = JSON.stringify(text.slice(0, 128));
  return new Fault(
    'invalid',
    'bad-platform',
    `not a platform: ${shown} (expected os/arch[/variant], e.g. linux/arm64)`,
    {
      fields: { platform: text.slice(0, 128) },
    },
  );
}
