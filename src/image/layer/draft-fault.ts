import { Fault } from '../../base/fault.ts';
import { showBytes } from './byte-text.ts';

/** The fault of a tar entry. @param what follows the entry's name in the message */
export function entryFault(
  code: string,
  path: Uint8Array,
  what: string,
  fields: Readonly<Record<string, string | number>> = {},
): Fault {
  const entry = showBytes(path);
  return new Fault('invalid', code, `tar entry ${entry} ${what}`, { fields: { entry, ...fields } });
}
