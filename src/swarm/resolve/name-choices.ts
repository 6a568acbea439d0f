import type { Values } from '../../store/values.ts';
import type { NameChoice } from './choose-answer.ts';

/** What the user chose with `--from`, by name; kept in the store. */
export interface NameChoices {
  get(name: string): NameChoice | undefined;
  put(name: string, choice: NameChoice): Promise<void>;
}

const VALUE = 'choices';
/** The choice made first is forgotten beyond it. */
const MAX_CHOICES = 1000;

export function openNameChoices(values: Values): NameChoices {
  const read = () => new Map(values.get<[string, NameChoice][]>(VALUE));
  return {
    get: (name) => read().get(name),
    async put(name, choice) {
      const choices = read();
      choices.delete(name);
      choices.set(name, choice);
      await values.put(VALUE, [...choices].slice(-MAX_CHOICES));
    },
  };
}
