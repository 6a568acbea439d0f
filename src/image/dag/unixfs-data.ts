export function encodeFileData(_size: number, _blockSizes: readonly number[]): Uint8Array {
  throw new Error('unfinished');
}
