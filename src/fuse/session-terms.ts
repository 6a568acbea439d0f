import { Fault } from '../base/fault.ts';

/**
 * What INIT agreed on. It is said once a connection and holds for a server that takes over later, so it is kept:
 * plain JSON.
 */
export interface SessionTerms {
  /** Of protocol 7: the kernel's own, and the smaller of it and ours. */
  readonly kernelMinor: number;
  readonly minor: number;
  /** FUSE_INIT flags that both sides have, bits 0-31 and 32-63. */
  readonly flags: number;
  readonly flags2: number;
  /** Bytes. */
  readonly maxReadahead: number;
  /** Of 4096 bytes; what one READ or READDIR asks for at most. */
  readonly maxPages: number;
  /** The kernel can read backing files itself (FUSE_PASSTHROUGH). */
  readonly passthrough: boolean;
  /** The kernel sends again what a killed server left unanswered (FUSE_HAS_RESEND, kernel 6.9). */
  readonly resend: boolean;
  /** Directories are opened without a request (FUSE_NO_OPENDIR_SUPPORT). */
  readonly noOpendir: boolean;
}

const NUMBERS = ['kernelMinor', 'minor', 'flags', 'flags2', 'maxReadahead', 'maxPages'] as const;
const BOOLEANS = ['passthrough', 'resend', 'noOpendir'] as const;

/**
 * Reads terms from JSON that an earlier server wrote.
 * @throws Fault `corrupt/bad-session-terms`
 */
export function parseSessionTerms(value: unknown): SessionTerms {
  const record = (value ?? {}) as Record<string, unknown>;
  for (const name of NUMBERS) {
    const number = record[name];
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffff_ffff)
      throw bad(name);
  }
  for (const name of BOOLEANS) if (typeof record[name] !== 'boolean') throw bad(name);
  return Object.fromEntries(
    [...NUMBERS, ...BOOLEANS].map((name) => [name, record[name]]),
  ) as unknown as SessionTerms;
}

function bad(field: string): Fault {
  return new Fault(
    'corrupt',
    'bad-session-terms',
    `the kept terms of the FUSE session have no good ${field}`,
    {
      fields: { field },
    },
  );
}
