import fc from 'fast-check';
import type { NodeAttributes } from '../../src/fuse/filesystem.ts';
import { DirectoryPacker } from '../../src/fuse/replies/directory-reply.ts';
import { ReplyFrame } from '../../src/fuse/replies/reply-frame.ts';
import { Request } from '../../src/fuse/request.ts';
import { putAbsent, putAttributes, putEntry, putGetattr, putStatx } from '../../src/fuse/wire/attributes.ts';
import { packDevice, putInteger } from '../../src/fuse/wire/integers.ts';
import {
  FIELD_SIZES,
  type FieldKind,
  type Layout,
  readStruct,
  writeStruct,
} from '../../src/fuse/wire/layout.ts';
import { OPCODE_LIMIT, OPERATIONS, operationOf } from '../../src/fuse/wire/operations.ts';
import { decodeDirectory } from '../../src/fuse/wire/reply-frame.ts';
import * as replyLayouts from '../../src/fuse/wire/reply-layouts.ts';
import { decodeRequest, encodeRequest } from '../../src/fuse/wire/request-frame.ts';
import * as requestLayouts from '../../src/fuse/wire/request-layouts.ts';

const LAYOUTS: Readonly<Record<string, Layout>> = { ...requestLayouts, ...replyLayouts };

const arbitraryField = (kind: FieldKind): fc.Arbitrary<number | bigint> => {
  if (kind === 'u16') return fc.nat(0xffff);
  if (kind === 'u32') return fc.integer({ min: 0, max: 0xffff_ffff });
  if (kind === 'i32') return fc.integer();
  if (kind === 'i64') return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
};
const arbitraryStruct = (struct: Layout) =>
  fc.record(Object.fromEntries(struct.fields.map(({ name, kind }) => [name, arbitraryField(kind)])));

/** sizeof of each struct in linux/fuse.h. */
const SIZES: Readonly<Record<string, number>> = {
  IN_HEADER: 40,
  NO_BODY: 0,
  FORGET_IN: 8,
  BATCH_FORGET_IN: 8,
  FORGET_ONE: 16,
  GETATTR_IN: 16,
  SETATTR_IN: 88,
  MKNOD_IN: 16,
  MKDIR_IN: 8,
  RENAME_IN: 8,
  RENAME2_IN: 16,
  LINK_IN: 8,
  OPEN_IN: 8,
  CREATE_IN: 16,
  READ_IN: 40,
  WRITE_IN: 40,
  RELEASE_IN: 24,
  FLUSH_IN: 24,
  FSYNC_IN: 16,
  SETXATTR_IN: 8,
  GETXATTR_IN: 8,
  ACCESS_IN: 8,
  INIT_IN: 20,
  SHORT_INIT_IN: 16,
  LOCK_IN: 48,
  INTERRUPT_IN: 8,
  BMAP_IN: 16,
  IOCTL_IN: 32,
  POLL_IN: 24,
  FALLOCATE_IN: 32,
  LSEEK_IN: 24,
  COPY_FILE_RANGE_IN: 56,
  SYNCFS_IN: 8,
  STATX_IN: 24,
  OUT_HEADER: 16,
  ATTRIBUTES_OUT: 88,
  ENTRY_OUT: 128,
  GETATTR_OUT: 104,
  OPEN_OUT: 16,
  STATFS_OUT: 80,
  GETXATTR_OUT: 8,
  LSEEK_OUT: 8,
  INIT_OUT: 64,
  DIRENT_OUT: 24,
  STATX_OUT: 288,
};

describe('layouts', () => {
  it('have the sizes of the structs in linux/fuse.h', () => {
    expect(Object.fromEntries(Object.entries(LAYOUTS).map(([name, { size }]) => [name, size]))).toEqual(
      SIZES,
    );
  });

  it.each(Object.entries(LAYOUTS))(
    '%s: fields lie on their own alignment, and come back as they were',
    (_, struct) => {
      for (const { kind, at } of struct.fields) expect(at % FIELD_SIZES[kind]).toBe(0);
      fc.assert(
        fc.property(arbitraryStruct(struct), fc.nat(3), (values, words) => {
          const view = new DataView(new ArrayBuffer(struct.size + words * 8));
          writeStruct(struct, values, view, words * 8);
          expect(readStruct(struct, view, words * 8)).toEqual({ ...values });
        }),
        { numRuns: 20 },
      );
    },
  );
});

describe('the table of operations', () => {
  it('has each opcode and name once, where the look-up finds it', () => {
    expect(new Set(OPERATIONS.map(({ opcode }) => opcode)).size).toBe(OPERATIONS.length);
    expect(new Set(OPERATIONS.map(({ name }) => name)).size).toBe(OPERATIONS.length);
    for (const row of OPERATIONS) {
      expect(row.opcode).toBeLessThan(OPCODE_LIMIT);
      expect(operationOf(row.opcode)).toBe(row);
    }
    expect(operationOf(OPCODE_LIMIT)).toBeUndefined();
  });

  it('answers nothing but what it serves, and refuses with an errno that the kernel takes', () => {
    for (const { refuse, answer } of OPERATIONS)
      if (refuse !== undefined) expect([answer, refuse > 0 && refuse < 512]).toEqual(['empty', true]);
  });
});

describe('requests', () => {
  const names = fc
    .uint8Array({ minLength: 1, maxLength: 255 })
    .map((bytes) => bytes.map((byte) => byte || 1));
  it.each(OPERATIONS.map((row) => [row.name, row] as const))('%s comes back as it was', (_, row) => {
    fc.assert(
      fc.property(
        arbitraryStruct(requestLayouts.IN_HEADER),
        arbitraryStruct(row.body),
        fc.array(names, { minLength: row.names, maxLength: row.names }),
        fc.uint8Array({ maxLength: 40 }),
        (header, body, texts, rest) => {
          const frame = encodeRequest(row, header, body, texts, rest);
          const decoded = decodeRequest(frame);
          expect(decoded.operation).toBe(row);
          expect(decoded.header).toEqual({ ...header, length: frame.length, opcode: row.opcode });
          expect(decoded.body).toEqual({ ...body });
          expect(decoded.names.map((name) => [...name])).toEqual(texts.map((name) => [...name]));
          expect([...decoded.rest]).toEqual([...rest]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('are read in place to the same values', () => {
    const request = new Request();
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.maxSafeNat(),
        names,
        (node, unique, handle, name) => {
          const row = operationOf(22)!;
          const frame = encodeRequest(row, { node, unique }, { size: handle % 2 ** 32 }, [name]);
          request.buffer.set(frame);
          expect(request.take(frame.length)).toBe(true);
          expect([request.node, request.opcode]).toEqual([node, 22]);
          expect((BigInt(request.high) << 32n) | BigInt(request.low)).toBe(unique);
          expect(request.u32(0)).toBe(handle % 2 ** 32);
          expect([...request.name(8)!]).toEqual([...name]);
          const read = encodeRequest(operationOf(15)!, { node, unique }, { handle });
          request.buffer.set(read);
          expect(request.take(read.length)).toBe(true);
          expect(request.u64(0)).toBe(handle);
        },
      ),
    );
  });

  it.each([[[]], [[65]], [[65, 0, 66, 0]], [[0, 0]]])('have no name in %j', (bytes) => {
    const request = new Request();
    const frame = encodeRequest(operationOf(1)!, { node: 1 }, {}, [], Uint8Array.from(bytes));
    request.buffer.set(frame);
    request.take(frame.length);
    expect(request.name(0)).toBeUndefined();
  });
});

const arbitraryAttributes: fc.Arbitrary<NodeAttributes> = fc.record({
  inode: fc.maxSafeNat(),
  size: fc.maxSafeNat(),
  mtime: fc.maxSafeInteger(),
  mtimeNanos: fc.nat(999_999_999),
  mode: fc.nat(0xffff),
  nlink: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  devMajor: fc.nat(4095),
  devMinor: fc.nat(1_048_575),
});

describe('replies', () => {
  it('carry attributes in every struct that has them', () => {
    fc.assert(
      fc.property(
        arbitraryAttributes,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (attributes, node) => {
          // what lay there before must not show
          const bytes = new Uint8Array(600).fill(0xff);
          const view = new DataView(bytes.buffer);
          const seconds = BigInt(attributes.mtime);
          const shown = {
            inode: BigInt(attributes.inode),
            size: BigInt(attributes.size),
            blocks: (BigInt(attributes.size) + 511n) / 512n,
            mtime: seconds,
            atime: seconds,
            ctime: seconds,
            mtimeNanos: attributes.mtimeNanos,
            atimeNanos: attributes.mtimeNanos,
            ctimeNanos: attributes.mtimeNanos,
            mode: attributes.mode,
            nlink: attributes.nlink,
            uid: attributes.uid,
            gid: attributes.gid,
            blockSize: 4096,
          };
          const rdev = packDevice(attributes.devMajor, attributes.devMinor);
          putAttributes(view, 8, attributes);
          expect(readStruct(replyLayouts.ATTRIBUTES_OUT, view, 8)).toEqual({ ...shown, rdev, attrFlags: 0 });
          putEntry(view, 8, node, attributes);
          expect(readStruct(replyLayouts.ENTRY_OUT, view, 8)).toEqual({
            ...shown,
            rdev,
            attrFlags: 0,
            node: BigInt(node),
            generation: 0n,
            entryValid: 86_400n,
            attrValid: 86_400n,
            entryValidNanos: 0,
            attrValidNanos: 0,
          });
          putGetattr(view, 8, attributes);
          expect(readStruct(replyLayouts.GETATTR_OUT, view, 8)).toMatchObject({
            ...shown,
            attrValid: 86_400n,
            padding: 0,
          });
          bytes.fill(0xff);
          putStatx(bytes, view, 8, attributes);
          expect(readStruct(replyLayouts.STATX_OUT, view, 8)).toMatchObject({
            ...shown,
            mask: 0x7ff,
            btime: 0n,
            attributes: 0n,
            rdevMajor: attributes.devMajor,
            rdevMinor: attributes.devMinor,
            spare15: 0n,
          });
        },
      ),
    );
  });

  it('say of a name that is not there: node 0, for a day', () => {
    const bytes = new Uint8Array(200).fill(0xff);
    const view = new DataView(bytes.buffer);
    putAbsent(bytes, view, 8);
    const { node, entryValid, mode } = readStruct(replyLayouts.ENTRY_OUT, view, 8);
    expect({ node, entryValid, mode }).toEqual({ node: 0n, entryValid: 86_400n, mode: 0 });
  });

  it('hold integers as two’s complement in 64 bits', () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        putInteger(view, 0, value);
        expect(view.getBigInt64(0, true)).toBe(BigInt(value));
      }),
    );
  });

  it('pack directories that come apart into the same entries', () => {
    const entry = fc.record({
      name: fc.uint8Array({ minLength: 1, maxLength: 255 }),
      next: fc.maxSafeNat(),
      node: fc.maxSafeNat(),
      attributes: arbitraryAttributes,
    });
    const frame = new ReplyFrame();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.boolean(), fc.nat(8192), (entries, plus, room) => {
        frame.bytes.fill(0xff, 0, 16_384);
        frame.size = 0;
        const packer = new DirectoryPacker(frame);
        packer.begin(plus, room);
        let count = 0;
        for (const { name, next, node, attributes } of entries) {
          if (!packer.entry(name, next, node, attributes)) break;
          count++;
        }
        expect(frame.size).toBeLessThanOrEqual(room);
        expect(frame.size % 8).toBe(0);
        const read = decodeDirectory(frame.bytes.subarray(16, 16 + frame.size), plus);
        expect(read.map(({ name, next, inode, type }) => [[...name], next, inode, type])).toEqual(
          entries
            .slice(0, count)
            .map(({ name, next, attributes }) => [
              [...name],
              next,
              attributes.inode,
              (attributes.mode >>> 12) & 15,
            ]),
        );
        if (plus)
          expect(read.map((each) => each.entry!['node'])).toEqual(
            entries.slice(0, count).map(({ node }) => BigInt(node)),
          );
      }),
    );
  });
});
