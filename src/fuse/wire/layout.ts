/** Kinds of fields in the structs of linux/fuse.h. */
export type FieldKind = 'u16' | 'u32' | 'i32' | 'u64' | 'i64';

export const FIELD_SIZES: Readonly<Record<FieldKind, number>> = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Bytes from the beginning of the struct. */
  readonly at: number;
}

/** One struct of linux/fuse.h: where each field lies. Its authors pad by hand, so fields just follow each other. */
export interface Layout<Name extends string = string> {
  readonly size: number;
  readonly fields: readonly Field[];
  readonly at: Readonly<Record<Name, number>>;
}

/** A struct from its fields in order. */
export function layout<const Fields extends Readonly<Record<string, FieldKind>>>(
  fields: Fields,
): Layout<keyof Fields & string> {
  const placed: Field[] = [];
  const at: Record<string, number> = {};
  let size = 0;
  for (const [name, kind] of Object.entries(fields)) {
    placed.push({ name, kind, at: size });
    at[name] = size;
    size += FIELD_SIZES[kind];
  }
  return { size, fields: placed, at: at as Record<keyof Fields & string, number> };
}

/** Fields of a struct: 64-bit ones as bigint, which is for tests and dumps, not for the hot path. */
export type FieldValues = Readonly<Record<string, number | bigint>>;

/** @throws RangeError where the struct is not whole */
export function readStruct(struct: Layout, bytes: DataView, from = 0): Record<string, number | bigint> {
  const values: Record<string, number | bigint> = {};
  for (const { name, kind, at } of struct.fields) {
    const where = from + at;
    if (kind === 'u16') values[name] = bytes.getUint16(where, true);
    else if (kind === 'u32') values[name] = bytes.getUint32(where, true);
    else if (kind === 'i32') values[name] = bytes.getInt32(where, true);
    else if (kind === 'u64') values[name] = bytes.getBigUint64(where, true);
    else values[name] = bytes.getBigInt64(where, true);
  }
  return values;
}

/** Fields that are not named are 0. @throws RangeError where the struct does not fit */
export function writeStruct(struct: Layout, values: FieldValues, bytes: DataView, from = 0): void {
  for (const { name, kind, at } of struct.fields) {
    const where = from + at;
    const value = values[name] ?? 0;
    if (kind === 'u16') bytes.setUint16(where, Number(value), true);
    else if (kind === 'u32') bytes.setUint32(where, Number(value), true);
    else if (kind === 'i32') bytes.setInt32(where, Number(value), true);
    else if (kind === 'u64') bytes.setBigUint64(where, BigInt(value), true);
    else bytes.setBigInt64(where, BigInt(value), true);
  }
}
