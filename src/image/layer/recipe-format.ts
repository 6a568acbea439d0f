/**
 * The bytes of a tar recipe: `shprecip`, then varints (see base/varint): version, bytes of the tar, then the tar's
 * pieces in order until the source ends. The first varint of a piece tells its form by its low bits:
 *
 * | value | form |
 * |---|---|
 * | 2 x length | that many bytes of the tar follow as they are |
 * | 4 x object + 1 | the whole object of that number in the layer index |
 * | 4 x object + 3 | a part of it: varints offset and length follow |
 *
 * There is one recipe of a tar: no piece is empty, two pieces that could be one are one, and a part is never whole.
 */
export const RECIPE_MAGIC = new Uint8Array(Buffer.from('shprecip', 'latin1'));
export const RECIPE_VERSION = 1;
