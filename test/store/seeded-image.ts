import { bytesOf, type TestImage, testImage } from './store-fixture.ts';

const SIZES = [0, 10, 3000, 20_000, 262_144, 300_000, 1_200_000];

/** An image of which `seed` tells everything; images of neighbouring seeds have files in common. */
export function seededImage(seed: number): TestImage {
  const files = Array.from({ length: 2 + (seed % 5) }, (_, index) => {
    const content = seed * 2 + index;
    return bytesOf(content, SIZES[content % SIZES.length] as number);
  });
  return testImage(files, { names: [`seed/${seed}`], shared: seed % 2 === 0 });
}

export function seedOf(names: readonly string[]): number {
  return Number(names[0]?.slice('seed/'.length));
}
