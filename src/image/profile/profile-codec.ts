import { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { readVarint, varintLength, writeVarint } from '../../base/varint.ts';
import { type LeafRange, PROFILE_LIMITS, type StartUpProfile } from './start-up-profile.ts';

const MAGIC = Buffer.from('shpstart');
const VERSION = 1;
/** Flags of a range, below the object's difference. */
const OTHER_LAYER = 1;
const LEAVES = 2;
const FLAGS = 4;
const MAX_CID_BYTES = 64;

/**
 * A profile as one block (docs/dag-format.md, Start-up profile). Equal profiles give equal bytes.
 * @throws Fault `invalid/profile-too-big` above {@link PROFILE_LIMITS}
 */
export function encodeProfile({ root, runs, ranges }: StartUpProfile): Uint8Array {
  const numbers: number[] = [VERSION, runs, ranges.length];
  let layer = 0;
  let object = 0;
  for (const range of ranges) {
    const moved = range.layer !== layer;
    if (moved) object = 0;
    const one = range.first === 0 && range.end === 1;
    const flags = (moved ? OTHER_LAYER : 0) + (one ? 0 : LEAVES);
    numbers.push(zigzag(range.object - object) * FLAGS + flags);
    if (moved) numbers.push(range.layer);
    if (!one) numbers.push(range.first, range.end - range.first);
    ({ layer, object } = range);
  }
  const cid = CID.parse(root).bytes;
  const head = MAGIC.length + cid.length + 1;
  const size = numbers.reduce((sum, value) => sum + varintLength(value), head);
  if (size > PROFILE_LIMITS.bytes || ranges.length > PROFILE_LIMITS.ranges) {
    throw new Fault(
      'invalid',
      'profile-too-big',
      `a profile of ${ranges.length} ranges has ${size} bytes: too much`,
      { fields: { bytes: size, ranges: ranges.length } },
    );
  }
  const bytes = new Uint8Array(size);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = cid.length;
  bytes.set(cid, MAGIC.length + 1);
  numbers.reduce((at, value) => writeVarint(bytes, at, value), head);
  return bytes;
}

/** @throws Fault `corrupt/bad-profile` for anything but what {@link encodeProfile} gives */
export function decodeProfile(bytes: Uint8Array): StartUpProfile {
  if (bytes.length > PROFILE_LIMITS.bytes) throw bad(`it has ${bytes.length} bytes`);
  const reader = new ProfileReader(bytes);
  const root = reader.root();
  if (reader.count('version', VERSION) !== VERSION) throw bad('it is of another version');
  const runs = reader.count('runs', PROFILE_LIMITS.runs);
  if (runs === 0) throw bad('no run made it');
  const count = reader.count('ranges', PROFILE_LIMITS.ranges);
  const ranges: LeafRange[] = [];
  let layer = 0;
  let object = 0;
  for (let number = 0; number < count; number++) {
    const range = reader.range(layer, object);
    ({ layer, object } = range);
    ranges.push(range);
  }
  const profile = { root, runs, ranges };
  // one form only: no bytes behind it, no long numbers, no layer named that is the same
  if (Buffer.compare(encodeProfile(profile), bytes) !== 0) throw bad('it is not in its shortest form');
  return profile;
}

class ProfileReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  root(): string {
    const magic = this.#bytes.subarray(0, MAGIC.length);
    const length = this.#bytes[MAGIC.length] ?? 0;
    if (!MAGIC.equals(magic) || length === 0 || length > MAX_CID_BYTES) throw bad('it does not begin as one');
    const from = MAGIC.length + 1;
    this.#at = from + length;
    try {
      return CID.decode(this.#bytes.subarray(from, this.#at)).toString();
    } catch (cause) {
      throw bad('its root is no CID', cause);
    }
  }

  range(layerBefore: number, objectBefore: number): LeafRange {
    const head = this.count('an object', PROFILE_LIMITS.objects * 2 * FLAGS + FLAGS);
    const moved = (head & OTHER_LAYER) !== 0;
    const layer = moved ? this.count('a layer', PROFILE_LIMITS.layers - 1) : layerBefore;
    const object = (moved ? 0 : objectBefore) + unzigzag(Math.floor(head / FLAGS));
    if (object < 0 || object >= PROFILE_LIMITS.objects) throw bad(`there is no object ${object}`);
    if ((head & LEAVES) === 0) return { layer, object, first: 0, end: 1 };
    const first = this.count('a leaf', PROFILE_LIMITS.leaves - 1);
    const end = first + this.count('leaves', PROFILE_LIMITS.leaves - first);
    if (end === first) throw bad('a range of no leaf');
    return { layer, object, first, end };
  }

  count(what: string, most: number): number {
    let read: ReturnType<typeof readVarint>;
    try {
      read = readVarint(this.#bytes, this.#at);
    } catch (cause) {
      throw bad(`${what}: no number`, cause);
    }
    if (read === undefined) throw bad(`it ends before ${what}`);
    if (read.value > most) throw bad(`${what}: ${read.value} is more than ${most}`);
    this.#at = read.next;
    return read.value;
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function bad(why: string, cause?: unknown): Fault {
  return new Fault('corrupt', 'bad-profile', `this is no start-up profile: ${why}`, { cause });
}
