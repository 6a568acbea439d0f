import type { LazySettings } from '../../../src/transfer/lazy/lazy-settings.ts';

export const lazySettings: LazySettings = {
  waitMs: 20_000,
  background: 'auto',
  backgroundRate: 0,
  backgroundQuietMs: 0,
  recordProfiles: true,
  profileWindowMs: 60_000,
  profileRuns: 3,
};
