import { StringDecoder } from 'node:string_decoder';
import { Fault } from '../base/fault.ts';

/** The longest line that is taken. */
const MAX_LINE = 16 * 2 ** 20;

/**
 * Each line of a stream as JSON; an empty line is skipped, a last one without its end counts.
 * @throws Fault `corrupt/bad-json-line` for a line that is none, or a longer one than 16 MiB
 */
export async function* readJsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    let start = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', start)) {
      yield* parseLine(rest.slice(start, end));
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE) throw badLine(rest);
  }
  yield* parseLine(rest + decoder.end());
}

function* parseLine(line: string): Generator<unknown> {
  if (line.trim() === '') return;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw badLine(line);
  }
  yield value;
}

function badLine(line: string): Fault {
  return new Fault('corrupt', 'bad-json-line', `not a line of JSON: ${JSON.stringify(line.slice(0, 80))}`);
}
