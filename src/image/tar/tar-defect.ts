import { Fault, type FaultFields, type FaultKind } from '../../base/fault.ts';

/**
 * What a codec of this folder found wrong. The codecs see neither the entry's path nor the place in the stream: the
 * reader adds both and throws a Fault.
 */
export class TarDefect extends Error {
  override readonly name = 'TarDefect';
  readonly kind: FaultKind;
  readonly code: string;
  readonly fields: FaultFields;

  constructor(kind: FaultKind, code: string, message: string, fields: FaultFields = {}) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.fields = fields;
  }
}

/** A header block that Go's reader answers with ErrHeader. */
export function badHeader(reason: string): TarDefect {
  return new TarDefect('corrupt', 'tar-header', `damaged tar header: ${reason}`, { reason });
}

/** A sparse map that Go's reader refuses. */
export function badSparseMap(reason: string): TarDefect {
  return new TarDefect('corrupt', 'tar-sparse-map', `damaged map of a sparse file: ${reason}`, { reason });
}

/**
 * @param offset byte of the tar where the header, record or map begins
 * @param entry  path of the entry as text, where it is known
 */
export function toTarFault(defect: TarDefect, offset: number, entry: string | undefined): Fault {
  const where =
    entry === undefined ? `at byte ${offset}` : `entry ${JSON.stringify(entry)}, at byte ${offset}`;
  return new Fault(defect.kind, defect.code, `${defect.message} (${where})`, {
    fields: { ...defect.fields, ...(entry === undefined ? {} : { entry }), offset },
  });
}
