import { Fault } from '../../base/fault.ts';

/** The fault of an index whose bytes are not what an encoder writes. @param what names the column and the entry */
export function badIndex(what: string, fields: Readonly<Record<string, number | string>> = {}): Fault {
  return new Fault('corrupt', 'bad-layer-index', `not a layer index: ${what}`, { fields });
}
