import type { MissingAnswers, MissingAnswersComponents, MissingAnswersSettings } from './missing-answers.ts';

export function createMissingAnswers(
  _components: MissingAnswersComponents,
  _settings: MissingAnswersSettings,
): MissingAnswers {
  throw new Error('not built yet');
}
