/** Levels of nesting; image documents have fewer than ten. */
export const MAX_JSON_DEPTH = 64;

/**
 * Looks at JSON that parsed already for what JSON.parse lets pass: a key twice in one object (Go merges the two,
 * JavaScript takes the last: one digest, two images) and deep nesting.
 * @throws Error with the reason
 */
export function checkJsonStructure(text: string): void {
  /** One set of keys an open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let keyNext = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        if (open.length === MAX_JSON_DEPTH) throw new Error(`deeper than ${MAX_JSON_DEPTH} levels`);
        keyNext = text[at] === '{';
        open.push(keyNext ? new Set() : undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        keyNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = stringEnd(text, at);
        if (keyNext) addKey(open.at(-1) as Set<string>, text.slice(at, end));
        keyNext = false;
        at = end - 1;
        break;
      }
    }
  }
}

function addKey(keys: Set<string>, literal: string): void {
  const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  if (keys.has(key))
    throw new Error(`the key ${JSON.stringify(key.slice(0, 64))} stands twice in one object`);
  keys.add(key);
}

/** Index behind the closing quote of the string that opens at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}
