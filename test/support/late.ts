/**
 * What a hook makes only when the tests run, under a name that a whole file can use: each access goes to what `get`
 * answers then.
 */
export function late<T extends object>(get: () => T): T {
  return new Proxy({} as T, {
    get(_, name) {
      const target = get();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (_, name, value) => Reflect.set(get(), name, value),
  });
}
