import { Fault } from './fault.ts';

/**
 * What a value from a socket must look like. Answers the place of what is wrong (`mount.target`), undefined when nothing
 * is. Fields that no shape names are let through: a newer version may say more.
 */
export type Shape = (value: unknown, place: string) => string | undefined;

/** @param max in UTF-16 units */
export function text(max: number): Shape {
  return (value, place) => (typeof value === 'string' && value.length <= max ? undefined : place);
}

/** One of these words. */
export function word(...words: readonly string[]): Shape {
  return (value, place) => (typeof value === 'string' && words.includes(value) ? undefined : place);
}

/** A whole number from 0. */
export function count(max: number = Number.MAX_SAFE_INTEGER): Shape {
  return (value, place) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max ? undefined : place;
}

/** A number that is not negative, fractions included. */
export const amount: Shape = (value, place) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? undefined : place;

export const flag: Shape = (value, place) => (typeof value === 'boolean' ? undefined : place);

export const anything: Shape = () => undefined;

export const nothing: Shape = (value, place) => (value === null ? undefined : place);

/** Absent (or undefined) will do. */
export function optional(shape: Shape): Shape {
  return (value, place) => (value === undefined ? undefined : shape(value, place));
}

export function list(shape: Shape, max: number): Shape {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > max) return place;
    for (let index = 0; index < value.length; index++) {
      const wrong = shape(value[index], `${place}[${index}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

/** An array of exactly these. */
export function tuple(...shapes: readonly Shape[]): Shape {
  return (value, place) => {
    if (!Array.isArray(value) || value.length !== shapes.length) return place;
    for (const [index, shape] of shapes.entries()) {
      const wrong = shape(value[index], `${place}[${index}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

export function record(fields: Readonly<Record<string, Shape>>): Shape {
  const rows = Object.entries(fields);
  return (value, place) => {
    if (!isRecord(value)) return place;
    for (const [name, shape] of rows) {
      // own fields only: a document has no say about what it inherits
      const wrong = shape(Object.hasOwn(value, name) ? value[name] : undefined, `${place}.${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Fault `invalid/bad-message` naming the field */
export function checkShape(value: unknown, shape: Shape, what: string): void {
  const wrong = shape(value, what);
  if (wrong !== undefined) {
    throw new Fault('invalid', 'bad-message', `${wrong} is missing or not what it must be`, {
      fields: { place: wrong },
    });
  }
}
