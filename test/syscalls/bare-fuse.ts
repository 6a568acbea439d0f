import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { Syscalls } from '../../src/syscalls/syscalls.ts';

/** A FUSE mount that answered INIT and nothing since: nobody may touch what is below it. */
export interface BareFuse extends AsyncDisposable {
  readonly device: number;
}

/** Of fuse_init_in.flags2 and fuse_init_out.flags2: bit 37 of the joint 64. */
const FUSE_PASSTHROUGH_HIGH = 1 << 5;
const FUSE_INIT_EXT = 1 << 30;

/** Mounts at `target` and agrees on passthrough with files of `stackDepth` 0 (max_stack_depth 1). */
export async function mountBareFuse(syscalls: Syscalls, target: string): Promise<BareFuse> {
  const device = openSync('/dev/fuse', constants.O_RDWR);
  await syscalls.mount({
    source: 'shp-test',
    target,
    type: 'fuse.shp-test',
    flags: ['nosuid', 'nodev', 'rdonly'],
    data: `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
  });
  const request = Buffer.alloc(1 << 17);
  readSync(device, request);
  const reply = Buffer.alloc(16 + 64);
  reply.writeUInt32LE(reply.length, 0);
  request.copy(reply, 8, 8, 16);
  reply.writeUInt32LE(7, 16);
  reply.writeUInt32LE(40, 20);
  reply.writeUInt32LE(1 << 17, 24); // max_readahead
  reply.writeUInt32LE(FUSE_INIT_EXT, 28);
  reply.writeUInt16LE(12, 32); // max_background
  reply.writeUInt16LE(9, 34); // congestion_threshold
  reply.writeUInt32LE(1 << 16, 36); // max_write
  reply.writeUInt32LE(1, 40); // time_gran
  reply.writeUInt16LE(32, 44); // max_pages
  reply.writeUInt32LE(FUSE_PASSTHROUGH_HIGH, 48); // flags2
  reply.writeUInt32LE(1, 52); // max_stack_depth
  writeSync(device, reply);
  return {
    device,
    async [Symbol.asyncDispose]() {
      await syscalls.unmount(target, { detach: true });
      closeSync(device);
    },
  };
}
