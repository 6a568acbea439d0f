import type { Store } from '../../src/store/store.ts';
import { late } from '../support/late.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openTestStore } from './store-fixture.ts';

/** A store for each test of the suite that calls {@link suiteStore}, in a folder that goes away with it. */
export interface SuiteStore {
  /** The one that is open. */
  readonly store: Store;
  /** Its folder. */
  root(): string;
  /** Closes it and opens it again; the parameters are those of `openTestStore`. */
  reopen(...how: OpenParameters): Promise<void>;
}

type OpenParameters = Parameters<typeof openTestStore> extends [string, ...infer Rest] ? Rest : never;

export function suiteStore(label: string): SuiteStore {
  let folder: ReturnType<typeof tempFolder>;
  let open: Store;
  beforeEach(async () => {
    folder = tempFolder(label);
    open = await openTestStore(folder.path);
  });
  afterEach(async () => {
    await open.close();
    folder[Symbol.dispose]();
  });
  return {
    store: late(() => open),
    root: () => folder.path,
    async reopen(...how) {
      await open.close();
      open = await openTestStore(folder.path, ...how);
    },
  };
}
