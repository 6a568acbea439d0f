/**
 * Applies `work` to each item with up to `width` of them under way, and yields the answers in the items' order. The
 * first failure ends it; what is still under way is waited for by nobody, so `work` must be harmless to abandon.
 */
export async function* orderedMap<In, Out>(
  items: AsyncIterable<In> | Iterable<In>,
  width: number,
  work: (item: In) => Promise<Out> | Out,
): AsyncGenerator<Out> {
  const underWay: (Promise<Out> | Out)[] = [];
  for await (const item of items) {
    const answer = work(item);
    // an abandoned failure must not become an unhandled rejection
    if (answer instanceof Promise) answer.catch(() => {});
    underWay.push(answer);
    if (underWay.length >= width) yield await (underWay.shift() as Promise<Out> | Out);
  }
  while (underWay.length > 0) yield await (underWay.shift() as Promise<Out> | Out);
}
