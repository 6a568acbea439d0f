import { constants } from 'node:os';
import { FAULT_KINDS, Fault } from '../../src/base/fault.ts';
import { ERRNO, errnoKind, errnoName, errnoOf, faultErrno } from '../../src/syscalls/errno.ts';

describe('errno', () => {
  it('goes from name to number and back, with the numbers of this system', () => {
    for (const [name, errno] of Object.entries(ERRNO)) {
      expect(errnoOf(name)).toBe(errno);
      // EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP are one number: the names here are the ones in use
      expect(errnoName(errno)).toBe(name);
    }
    const known = constants.errno as Readonly<Record<string, number>>;
    for (const [name, errno] of Object.entries(ERRNO)) {
      if (name !== 'ENOTBLK') expect(known[name]).toBe(errno);
    }
  });

  it('names what it does not know by its number, and knows no inherited names', () => {
    expect(errnoName(4095)).toBe('errno 4095');
    expect(errnoOf('toString')).toBeUndefined();
    expect(errnoOf(undefined)).toBeUndefined();
    expect(errnoKind(4095)).toBe('internal');
  });

  it('gives a reader an errno for every kind of fault', () => {
    const table = Object.fromEntries(
      FAULT_KINDS.map((kind) => [kind, errnoName(faultErrno(new Fault(kind, 'x', 'x')))]),
    );
    expect(table).toEqual({
      'not-found': 'ENOENT',
      exists: 'EEXIST',
      invalid: 'EINVAL',
      corrupt: 'EIO',
      unavailable: 'EIO',
      busy: 'EBUSY',
      denied: 'EACCES',
      unsupported: 'EOPNOTSUPP',
      cancelled: 'EINTR',
      internal: 'EIO',
    });
  });
});
