/**
 * Layers of an image that is mounted: eight times what any engine runs. A hostile stack of hard links, each to one in
 * the layer below it, is followed a layer a step: 1,024 of them fit a thread's stack, and the trees of the layers below
 * each take 4 MB.
 */
export const MAX_MOUNTED_LAYERS = 1024;
