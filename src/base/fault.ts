/**
 * The one error type that crosses rooms. Each door maps `kind` to its own protocol (errno, HTTP status,
 * gRPC code, exit code) in one total table; nobody compares messages.
 */
export const FAULT_KINDS = [
  'not-found',
  'exists',
  'invalid',
  'corrupt',
  'unavailable',
  'busy',
  'denied',
  'unsupported',
  'cancelled',
  'internal',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** Facts of a fault for logs and `--json`: plain values only. */
export type FaultFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface FaultOptions {
  readonly fields?: FaultFields;
  readonly cause?: unknown;
}

/**
 * @property kind   closed set, what a caller may do about it
 * @property code   stable identifier of this very fault, `kebab-case`, part of the public interface
 * @property fields the things the message names
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly code: string;
  readonly fields: FaultFields;

  constructor(kind: FaultKind, code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** What a fault looks like on a wire (control door, logs). */
export interface FaultRecord {
  readonly kind: FaultKind;
  readonly code: string;
  readonly message: string;
  readonly fields: FaultFields;
}

/** Turns anything thrown into a Fault: aborts become `cancelled`, a full disk `unavailable`, the rest `internal`. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.name === 'AbortError') return new Fault('cancelled', 'cancelled', 'cancelled', { cause: error });
  const errno = (error as NodeJS.ErrnoException).code;
  const path = (error as NodeJS.ErrnoException).path;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new Fault(
      'unavailable',
      'disk-full',
      `the disk is full${path === undefined ? '' : ` at ${path}`}: free some space (dkr-shp gc), then run it again; what was stored stays valid`,
      { cause: error, fields: { path } },
    );
  }
  return new Fault(
    'internal',
    errno === undefined ? 'internal' : `errno-${errno.toLowerCase()}`,
    error.message,
    {
      cause: error,
    },
  );
}

export function toFaultRecord(thrown: unknown): FaultRecord {
  const { kind, code, message, fields } = toFault(thrown);
  return { kind, code, message, fields };
}

/** The reverse of {@link toFaultRecord}: a record from the wire is checked, an unknown kind becomes `internal`. */
export function fromFaultRecord(record: Partial<FaultRecord>): Fault {
  const kind = FAULT_KINDS.find((known) => known === record.kind) ?? 'internal';
  return new Fault(kind, record.code ?? 'unknown', record.message ?? 'unknown fault', {
    fields: record.fields ?? {},
  });
}
