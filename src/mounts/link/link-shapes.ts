import {
  amount,
  anything,
  checkShape,
  count,
  flag,
  isRecord,
  list,
  optional,
  record,
  type Shape,
  text,
  tuple,
} from '../../base/json-shape.ts';
import { MAX_MOUNTED_LAYERS } from '../../config/mount-limits.ts';
import {
  MAX_SAID_PATH,
  type ServerMessage,
  type StationMessage,
  type StationRequest,
} from './link-messages.ts';

const PATH = text(MAX_SAID_PATH);
const CID = text(256);
const KEY = text(256);
const MAX_RANGES = 16_384;
const MAX_CHAINS = 16_384;

const faultShape = record({
  kind: text(32),
  code: text(128),
  message: text(65_536),
  fields: optional(record({})),
});

const overlayMount: Readonly<Record<string, Shape>> = {
  chain: KEY,
  target: PATH,
  upper: optional(record({ upper: PATH, work: PATH })),
  suid: optional(flag),
  dev: optional(flag),
};

const mountedView = record({ ...overlayMount, mountedAt: amount, gone: optional(flag) });

const chainStatistics = record({
  key: KEY,
  mounts: count(),
  complete: flag,
  waited: count(),
  waitP50: amount,
  waitP99: amount,
  waiting: count(),
  failed: count(),
  passthroughOpens: count(),
  readOpens: count(),
});

interface Request {
  /** What stands beside `id` and `ask`. */
  readonly asked: Shape;
  /** The value of `done`. */
  readonly done: Shape;
}

/** One row a request of the station. */
export const REQUESTS: Readonly<Record<StationRequest['ask'], Request>> = {
  hello: { asked: record({ version: text(128) }), done: record({ version: text(128), pid: count() }) },
  chain: {
    asked: record({
      chain: record({
        key: KEY,
        indexes: list(CID, MAX_MOUNTED_LAYERS),
        complete: flag,
        recording: flag,
        quarantined: optional(flag),
      }),
    }),
    done: anything,
  },
  forget: { asked: record({ key: KEY }), done: anything },
  mount: { asked: record({ mount: record(overlayMount) }), done: mountedView },
  unmount: { asked: record({ target: PATH, lazy: flag }), done: anything },
  status: {
    asked: record({}),
    done: record({
      pid: count(),
      version: text(128),
      memory: amount,
      protocol: text(64),
      passthrough: flag,
      passthroughWhy: optional(text(4096)),
      resend: flag,
      chains: list(chainStatistics, MAX_CHAINS),
      mounts: list(mountedView, MAX_CHAINS),
    }),
  },
  frames: {
    asked: record({}),
    done: record({ operations: record({}), kept: flag, trace: list(text(MAX_SAID_PATH), 1024) }),
  },
};

/** One row a message, by the field that it alone has. */
const STATION_MESSAGES: Readonly<Record<string, Shape>> = {
  have: record({ have: count(), complete: flag }),
  lost: record({ lost: count(), fault: faultShape }),
};

const SERVER_MESSAGES: Readonly<Record<string, Shape>> = {
  done: record({ id: count() }),
  fault: record({ id: count(), fault: faultShape }),
  want: record({
    want: count(),
    chain: KEY,
    layer: count(),
    object: count(),
    first: count(),
    end: count(),
    path: PATH,
    ahead: optional(flag),
  }),
  cancel: record({ cancel: count() }),
  touched: record({
    touched: KEY,
    ranges: list(tuple(count(), count(), count(), count()), MAX_RANGES),
  }),
};

/** @throws Fault `invalid/bad-message` */
export function parseStationMessage(value: unknown): StationMessage {
  if (isRecord(value) && Object.hasOwn(value, 'ask')) {
    const { ask } = value;
    const row =
      typeof ask === 'string' && Object.hasOwn(REQUESTS, ask)
        ? REQUESTS[ask as StationRequest['ask']]
        : undefined;
    checkShape(
      value,
      record({ id: count(), ask: () => (row === undefined ? 'request.ask' : undefined) }),
      'request',
    );
    checkShape(value, (row as Request).asked, 'request');
    return value as unknown as StationMessage;
  }
  checkShape(value, rowOf(value, STATION_MESSAGES), 'message');
  return value as StationMessage;
}

/**
 * The value of `done` is checked by who asked: {@link REQUESTS}.
 * @throws Fault `invalid/bad-message`
 */
export function parseServerMessage(value: unknown): ServerMessage {
  checkShape(value, rowOf(value, SERVER_MESSAGES), 'message');
  return value as ServerMessage;
}

function rowOf(value: unknown, rows: Readonly<Record<string, Shape>>): Shape {
  const name = isRecord(value) ? Object.keys(rows).find((key) => Object.hasOwn(value, key)) : undefined;
  return (name === undefined ? undefined : rows[name]) ?? ((_, place) => place);
}
