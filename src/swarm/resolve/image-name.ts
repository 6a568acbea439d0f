import type { Digest } from '../../base/digest.ts';
import { parseReference, printFamiliar, printShort } from '../../image/oci/reference.ts';

export interface ImageName {
  /** As image records hold names: `jbenet/go-ipfs:latest`. */
  readonly full: string;
  /** As a published root links it: `jbenet/go-ipfs`. */
  readonly short: string;
  /** Of `name@sha256:…`: the name then says nothing. */
  readonly digest?: Digest;
}

/** @throws Fault `invalid/bad-reference` */
export function normalizeName(text: string): ImageName {
  const reference = parseReference(text.trim());
  return {
    full: printFamiliar(reference),
    short: printShort(reference),
    ...(reference.digest === undefined ? {} : { digest: reference.digest }),
  };
}

/** The forms under which records and published roots hold a name, shortest first: `alpine` and `alpine:latest`. */
export function nameForms(text: string): string[] {
  try {
    const { full, short } = normalizeName(text);
    return [...new Set([short, full])];
  } catch {
    return [text];
  }
}
