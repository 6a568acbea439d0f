import { Fault } from '../../../src/base/fault.ts';

/** What work that must fail was refused with. */
export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('it went through');
}
