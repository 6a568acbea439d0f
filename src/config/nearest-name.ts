/** The known name with the fewest edits from `given`, when it is near enough to be what was meant. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const wanted = given.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    const distance = Math.min(editDistance(wanted, name.toLowerCase()), lastPartDistance(wanted, name));
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** `window` is meant as `fetch.window`: the group is what people leave out; it counts as one edit. */
function lastPartDistance(wanted: string, name: string): number {
  const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const given = wanted.slice(wanted.lastIndexOf('.') + 1);
  return 1 + editDistance(given, last);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
