/**
 * The closing lines of scripts/test, out of jest's JSON result and the lines that requirement() left: which tests did
 * not run and why, then `N passed, N failed, N skipped`. Exits with 1 when something failed, nothing ran, or, with
 * CI=true, something was skipped.
 *
 *   test-report.ts JEST.json SKIPPED.txt [--failed]     --failed: a check before the tests failed
 */
import { readFileSync } from 'node:fs';

interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

const [resultPath = '', skippedPath = '', checks] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

let result: JestResult;
try {
  result = JSON.parse(readFileSync(resultPath, 'utf8')) as JestResult;
} catch {
  say('jest ended without a result');
  say('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
const reasons = [...new Set(readFileSync(skippedPath, 'utf8').split('\n'))].filter((line) => line !== '');
for (const line of reasons) say(line);
const unexplained = result.numPendingTests + result.numTodoTests;
if (unexplained > 0) say(`SKIPPED: ${unexplained} tests are marked skip or todo`);
const skipped = reasons.length + unexplained;
// A file that does not load, and a check before the tests, count as one failure each.
const failed =
  result.numFailedTests +
  result.numRuntimeErrorTestSuites +
  (checks === '--failed' && result.numFailedTests + result.numRuntimeErrorTestSuites === 0 ? 1 : 0);
if (result.numPassedTests + failed === 0) say('no test ran');
say(`${result.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
const strict = process.env['CI'] === 'true';
process.exit(failed > 0 || result.numPassedTests === 0 || (strict && skipped > 0) ? 1 : 0);
