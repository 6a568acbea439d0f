/** Lets at most `width` of them run at a time; the others wait for their turn in order. */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createTurns(width: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < width) running++;
    // whoever ends hands its place on
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
