/** Durable JSON values by name: `trust`, `choices`, `catalogue-version`. Fsynced when the promise resolves. */
export interface Values {
  get<T>(name: string): T | undefined;
  put<T>(name: string, value: T): Promise<void>;
  delete(name: string): Promise<void>;
}
