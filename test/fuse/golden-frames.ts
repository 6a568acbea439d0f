import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A request as a kernel sent it. */
export interface GoldenFrame {
  /** What was run. */
  readonly ran: string;
  readonly frame: Uint8Array;
  /** The frame as `traceRequest` says it. */
  readonly trace: string;
}

const FOLDER = fileURLToPath(new URL('../golden/fuse/', import.meta.url));

/** Files of `test/golden/fuse`: `#` lines say where the frames are from, then three lines each: ran, hex, trace. */
export function readGoldenFrames(): GoldenFrame[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((file) => {
      const lines = readFileSync(`${FOLDER}${file}`, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      return Array.from({ length: lines.length / 3 }, (_, n) => ({
        ran: lines[n * 3]!,
        frame: new Uint8Array(Buffer.from(lines[n * 3 + 1]!, 'hex')),
        trace: lines[n * 3 + 2]!,
      }));
    });
}

export function goldenText(provenance: readonly string[], frames: readonly GoldenFrame[]): string {
  const head = provenance.map((line) => `# ${line}\n`).join('');
  const body = frames.map(
    ({ ran, frame, trace }) => `\n${ran}\n${Buffer.from(frame).toString('hex')}\n${trace}\n`,
  );
  return head + body.join('');
}
