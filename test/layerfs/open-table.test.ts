import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createNodeSlots } from '../../src/layerfs/node-slots.ts';
import { createOpenTable, type OpenTable } from '../../src/layerfs/open-table.ts';
import { openSlotFile, readSlots, SLOT_SIZE } from '../../src/layerfs/slot-file.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { tempFolder } from '../support/temp-folder.ts';

const BASE = 2 ** 32;
let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder('opens');
});
afterEach(() => folder[Symbol.dispose]());

let processes = 0;
function openTable(resumed: boolean, maxSlots?: number, logger: Logger = silentLogger): OpenTable {
  processes++;
  const { file, slots } = openSlotFile(join(folder.path, 'opens'), resumed);
  return createOpenTable(
    { file, slots, logger },
    { handlesAbove: processes * 2 ** 30, ...(maxSlots !== undefined && { maxSlots }) },
  );
}

/** What the kernel has: it refuses an open in the one mode while files are open in the other, or with another id. */
class Kernel {
  readonly open = new Map<number, { node: number; id: number }>();

  opened(node: number, handle: number, id: number): void {
    for (const other of this.open.values()) {
      if (other.node === node && other.id !== id)
        throw new Error(`EIO: node ${node} is open with ${other.id}, not ${id}`);
    }
    this.open.set(handle, { node, id });
  }

  of(node: number): number[] {
    return [...this.open].filter(([, file]) => file.node === node).map(([handle]) => handle);
  }
}

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('open' as const), node: fc.nat(5), complete: fc.boolean() }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('close' as const), node: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), node: fc.nat(5) }) },
  // Killed while it answers a request: before the reply was written, or after it.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('killed' as const),
      node: fc.nat(5),
      at: fc.constantFrom('open' as const, 'close' as const, 'rest' as const),
      complete: fc.boolean(),
    }),
  },
);

describe('the table of open files', () => {
  it('never opens a node in two modes, whenever the mount server is killed', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const kernel = new Kernel();
        let nextId = 1;
        let passthroughHandle = 2;
        let table = openTable(false);
        const open = (node: number, complete: boolean): { handle: number; id: number } => {
          const known = table.backingId(node);
          let id = table.reads(node) > 0 ? 0 : known;
          if (id === 0 && table.reads(node) === 0 && complete) {
            id = nextId++;
            expect(table.keepBackingId(node, id)).toBe(true);
          }
          passthroughHandle += 2;
          if (id > 0) return { handle: passthroughHandle, id };
          return { handle: table.countRead(node), id: 0 };
        };
        for (const one of commands) {
          const node = BASE + one.node;
          table.flush();
          if (one.do === 'open') {
            const { handle, id } = open(node, one.complete);
            kernel.opened(node, handle, id);
          } else if (one.do === 'close') {
            const [handle] = kernel.of(node);
            if (handle === undefined) continue;
            kernel.open.delete(handle);
            table.uncountRead(node, handle);
          } else if (one.do === 'forget') {
            if (kernel.of(node).length === 0) table.forgetNode(node);
          } else {
            const [handle] = kernel.of(node);
            if (one.at === 'open') open(node, one.complete);
            if (one.at === 'close' && handle !== undefined) table.uncountRead(node, handle);
            // No flush: the process is gone, and what was not answered comes again.
            table = openTable(true);
            if (one.at === 'open') {
              const again = open(node, one.complete);
              kernel.opened(node, again.handle, again.id);
            }
            if (one.at === 'close' && handle !== undefined) {
              kernel.open.delete(handle);
              table.uncountRead(node, handle);
            }
          }
        }
        table.close();
      }),
      { numRuns: 300 },
    );
  });

  it('takes a node into passthrough again once the kernel forgot what an earlier process had open', () => {
    let table = openTable(false);
    table.countRead(BASE + 1);
    table = openTable(true);
    expect(table.reads(BASE + 1)).toBe(1);
    table.forgetNode(BASE + 1);
    expect(table.reads(BASE + 1)).toBe(0);
  });

  it('does not drop by a late FORGET what this process has opened', () => {
    const table = openTable(false);
    const handle = table.countRead(BASE + 1);
    table.forgetNode(BASE + 1);
    expect(table.reads(BASE + 1)).toBe(1);
    table.uncountRead(BASE + 1, handle);
    expect(table.reads(BASE + 1)).toBe(0);
  });

  it('keeps ids over a restart, and drops them with their chain', () => {
    let table = openTable(false);
    for (let node = 0; node < 1000; node++) table.keepBackingId(BASE * (1 + (node % 2)) + node, node + 1);
    table = openTable(true);
    for (let node = 0; node < 1000; node++)
      expect(table.backingId(BASE * (1 + (node % 2)) + node)).toBe(node + 1);
    expect(table.forgetNodes(BASE, 2 * BASE).sort((a, b) => a - b)).toEqual(
      [...Array(500).keys()].map((n) => 2 * n + 1),
    );
    table = openTable(true);
    expect(table.backingId(BASE + 2)).toBe(0);
    expect(table.backingId(2 * BASE + 1)).toBe(2);
  });

  it('drops what a file says of another connection', () => {
    openTable(false).keepBackingId(BASE + 1, 7);
    const table = openTable(false);
    expect(table.backingId(BASE + 1)).toBe(0);
    expect(readFileSync(join(folder.path, 'opens')).length).toBe(0);
  });

  it('uses free slots again, so that the file does not grow with every open', () => {
    const table = openTable(false);
    for (let n = 0; n < 1000; n++) {
      const handle = table.countRead(BASE + n);
      table.uncountRead(BASE + n, handle);
      table.flush();
    }
    expect(readFileSync(join(folder.path, 'opens')).length).toBe(SLOT_SIZE);
  });

  it('opens nothing more in passthrough once it is full, and says so once', () => {
    const said: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, message) => void said.push(message) };
    const table = openTable(false, 2, logger);
    expect([1, 2, 3, 4].map((node) => table.keepBackingId(BASE + node, node))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(table.closedWhy).toContain('more files');
    expect(said).toHaveLength(1);
    expect(table.backingId(BASE + 1)).toBe(1);
  });
});

describe('the slot file', () => {
  const slot = fc.record({
    node: fc.oneof(fc.integer({ min: BASE, max: Number.MAX_SAFE_INTEGER }), fc.nat(2 ** 31)),
    backingId: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    reads: fc.nat(2 ** 32 - 1),
  });

  it('reads what was written, and of the rest nothing', () => {
    fc.assert(
      fc.property(fc.array(slot, { maxLength: 40 }), (slots) => {
        const path = join(folder.path, 'slots');
        const { file } = openSlotFile(path, false);
        for (const [at, { node, backingId, reads }] of slots.entries())
          file.write(at, node, backingId, reads);
        file.close();
        const again = openSlotFile(path, true);
        again.file.close();
        const seen = new Set<number>();
        const expected = slots.flatMap(({ node, backingId, reads }, at) => {
          if (node < BASE || backingId < 0 || (backingId === 0 && reads === 0) || seen.has(node)) return [];
          seen.add(node);
          return [{ slot: at, node, backingId, reads }];
        });
        expect(again.slots).toEqual(expected);
      }),
    );
  });

  it('takes any bytes for a slot file', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const path = join(folder.path, 'any');
        writeFileSync(path, bytes);
        const { file, slots } = openSlotFile(path, true);
        file.close();
        expect(slots).toEqual(readSlots(bytes));
        const table = createOpenTable(
          { file: { write() {}, close() {} }, slots, logger: silentLogger },
          { handlesAbove: 0 },
        );
        for (const { node, backingId, reads } of slots) {
          expect([table.backingId(node), table.reads(node)]).toEqual([backingId, reads]);
        }
      }),
    );
  });
});

describe('slots by node', () => {
  it('finds what a map would find', () => {
    const step = fc.oneof(fc.record({ take: fc.nat(40) }), fc.record({ free: fc.nat(40) }));
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300 }),
        fc.constantFrom(1, 2 ** 20, 2 ** 32),
        (steps, spread) => {
          const slots = createNodeSlots(30);
          const model = new Map<number, number>();
          for (const one of steps) {
            const number = 'take' in one ? one.take : one.free;
            const node = BASE + number * spread;
            const found = slots.find(node);
            expect(found).toBe(model.get(node) ?? -1);
            if ('free' in one) {
              if (found >= 0) slots.free(found);
              model.delete(node);
            } else if (found < 0) {
              const slot = slots.take(node);
              expect(slot === -1).toBe(model.size === 30);
              if (slot >= 0) model.set(node, slot);
            }
          }
          for (const [node, slot] of model)
            expect([slots.find(node), slots.node(slot)]).toEqual([slot, node]);
        },
      ),
    );
  });
});
