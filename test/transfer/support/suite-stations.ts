import { late } from '../../support/late.ts';
import {
  clear,
  type StationOptions,
  type TransferStation,
  transferStation,
  twoStations,
} from './two-stations.ts';

/** One station for all tests of the suite that calls this. */
export function suiteStation(options: StationOptions = {}): TransferStation {
  let station: TransferStation;
  beforeAll(async () => {
    station = await transferStation(options);
  });
  afterAll(() => station[Symbol.asyncDispose]());
  return late(() => station);
}

/**
 * Two that are connected; after each test they forget all images, and must have nothing left then. What a test's own
 * hooks hold has to end before: they are to be registered first.
 */
export function suitePair(options: StationOptions = {}): { a: TransferStation; b: TransferStation } {
  let pair: Awaited<ReturnType<typeof twoStations>>;
  beforeAll(async () => {
    pair = await twoStations(options);
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(async () => {
    await clear(pair.b);
    await clear(pair.a);
  });
  return { a: late(() => pair.a), b: late(() => pair.b) };
}
