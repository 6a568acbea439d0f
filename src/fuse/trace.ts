/** One request, as it came from the device, in one line of text; says so where it is cut short or unknown. */
export function traceRequest(_frame: Uint8Array): string {
  throw new Error('not built');
}
