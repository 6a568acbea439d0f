import fc from 'fast-check';
import type { Clock } from '../../src/base/clock.ts';
import { figureAge, figureSeconds, figureSize } from '../../src/cli/figures.ts';
import { progressLines } from '../../src/cli/progress/progress-lines.ts';
import { advance, NO_PROGRESS } from '../../src/cli/progress/progress-state.ts';
import { createProgressView } from '../../src/cli/progress/progress-view.ts';
import type { LayerPhase, LayerProgress, Progress, TotalProgress } from '../../src/observe/progress.ts';

const layer = (index: number, phase: LayerPhase, bytes: number, total?: number, here = 0): LayerProgress => ({
  event: 'layer',
  index,
  name: `${index}d3ac3489996`,
  phase,
  bytes,
  here,
  ...(total === undefined ? {} : { total }),
});
const total = (bytes: number, more: Partial<TotalProgress> = {}): TotalProgress => ({
  event: 'total',
  bytes,
  total: 300e6,
  here: 80e6,
  moved: 10e6,
  rate: 20.1e6,
  peers: 3,
  eta: 9,
  ...more,
});

/** Time that stands still until it is moved. */
function stillClock(): Clock & { at: number } {
  const clock = { at: 0, now: () => clock.at, monotonic: () => clock.at };
  return clock;
}

function stateOf(events: readonly [number, Progress][]) {
  return events.reduce((state, [at, progress]) => advance(state, progress, at), NO_PROGRESS);
}

const SAMPLE: [number, Progress][] = [
  [0, layer(0, 'done', 27.1e6, 27.1e6, 27.1e6)],
  [0, layer(1, 'fetching', 0, 120e6)],
  [0, layer(2, 'reading', 5e6)],
  [0, layer(3, 'waiting', 0, 4096)],
  [1000, layer(1, 'fetching', 60e6, 120e6, 40e6)],
  [1000, total(120e6)],
];

describe('what a terminal shows', () => {
  it('is a line a layer with bytes, rate and time to go, then the total with peers and what was here', () => {
    expect(progressLines(stateOf(SAMPLE), 100, 24)).toEqual([
      '0d3ac3489996  done       [============]   27.1 MB  (27.1 MB already here)',
      '1d3ac3489996  fetching   [======      ]   60.0 MB  of 120 MB  20.0 MB/s  3 s',
      '2d3ac3489996  reading     5.00 MB',
      '3d3ac3489996  waiting    [            ]  of 4.10 kB',
      'total 120 MB of 300 MB, 80.0 MB already here, 20.1 MB/s, 3 peers, 9 s to go',
    ]);
  });

  it('leaves the bar out where there is no room', () => {
    expect(progressLines(stateOf(SAMPLE), 64, 24)[1]).toBe(
      '1d3ac3489996  fetching    60.0 MB  of 120 MB  20.0 MB/s  3 s',
    );
  });

  it('shows the layers that move when there are more than rows', () => {
    const many: [number, Progress][] = Array.from({ length: 40 }, (_, i) => [
      0,
      layer(i, i < 30 ? 'done' : i === 35 ? 'fetching' : 'waiting', 1, 2),
    ]);
    const lines = progressLines(stateOf([...many, [0, total(1)]]), 100, 8);
    expect(lines).toHaveLength(7);
    expect(lines.some((line) => line.startsWith('35d3ac3489996'))).toBe(true);
    expect(lines.at(-2)).toBe('… and 35 more layers');
  });

  it('never has a line as wide as the terminal, nor more lines than it has rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 3, max: 60 }),
        fc.array(
          fc.tuple(
            fc.nat(50),
            fc.constantFrom('waiting', 'reading', 'fetching', 'verifying', 'done'),
            fc.nat(),
          ),
        ),
        (columns, rows, layers) => {
          const events = layers.map(([index, phase, bytes], at): [number, Progress] => [
            at,
            layer(index, phase as LayerPhase, bytes, bytes * 2),
          ]);
          const lines = progressLines(stateOf([...events, [99, total(5)]]), columns, rows);
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(line.length).toBeLessThan(Math.max(columns, 1));
        },
      ),
    );
  });

  it('shows no control characters of a name', () => {
    const state = stateOf([[0, { ...layer(0, 'reading', 1), name: '\u001b[2Jevil\n' }]]);
    expect(progressLines(state, 80, 24)[0]).toMatch(/^\ufffd\[2Jevil\ufffd/);
  });
});

describe('the views', () => {
  it('on a terminal redraws in place, not at every event, and notes stay above', () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text), isTTY: true, columns: 80, rows: 24 };
    const clock = stillClock();
    const view = createProgressView(stream, false, clock);
    view.update(layer(0, 'fetching', 0, 100));
    for (let i = 1; i < 50; i++) view.update(layer(0, 'fetching', i, 100));
    expect(written).toHaveLength(1);
    clock.at = 200;
    view.update(layer(0, 'fetching', 60, 100));
    expect(written).toHaveLength(2);
    view.update({ event: 'note', text: 'a note' });
    view.update(layer(0, 'done', 100, 100));
    view.end();
    view.end();
    view.update(layer(0, 'done', 100, 100));
    expect(written).toEqual([
      '0d3ac3489996  fetching   [            ]       0 B  of 100 B\n',
      '\u001b[1A\u001b[J0d3ac3489996  fetching   [=======     ]      60 B  of 100 B  300 B/s  0 s\n',
      '\u001b[1A\u001b[Ja note\n0d3ac3489996  fetching   [=======     ]      60 B  of 100 B  300 B/s  0 s\n',
      '\u001b[1A\u001b[J0d3ac3489996  done       [============]     100 B\n',
    ]);
  });

  it('elsewhere prints a line a phase, the total every 5 s and at the end', () => {
    let written = '';
    const clock = stillClock();
    const view = createProgressView({ write: (text: string) => (written += text) }, false, clock);
    view.update(layer(0, 'waiting', 0, 27.1e6));
    view.update(layer(0, 'fetching', 0, 27.1e6));
    view.update(layer(0, 'fetching', 1e6, 27.1e6));
    view.update(total(1e6));
    clock.at = 5000;
    view.update(total(2e6));
    clock.at = 6000;
    view.update({ event: 'note', text: 'a note\u001b[2J' });
    view.update(layer(0, 'done', 27.1e6, 27.1e6, 12e6));
    view.update(total(300e6, { eta: 0, peers: 1 }));
    view.end();
    view.end();
    expect(written).toBe(
      [
        'layer 0 0d3ac3489996: fetching 27.1 MB',
        'total 2.00 MB of 300 MB, 80.0 MB already here, 20.1 MB/s, 3 peers, 9 s to go',
        'a note\ufffd[2J',
        'layer 0 0d3ac3489996: done 27.1 MB (12.0 MB already here)',
        'total 300 MB of 300 MB, 80.0 MB already here, 20.1 MB/s, 1 peer',
        '',
      ].join('\n'),
    );
  });

  it('under --json hands every event on as a line', () => {
    const written: string[] = [];
    const view = createProgressView(
      { write: (text: string) => written.push(text), isTTY: true },
      true,
      stillClock(),
    );
    view.update(layer(0, 'waiting', 0));
    view.update(total(1));
    view.end();
    expect(written.map((line) => JSON.parse(line).event)).toEqual(['layer', 'total']);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9994, '9.99 kB'],
    [9996, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [27.1e6, '27.1 MB'],
    [2 ** 53, '9007 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(figureSize(bytes)).toBe(text);
  });

  it.each([
    [0.4, '0 s'],
    [99, '99 s'],
    [192, '3m12s'],
    [7500, '2h05m'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(figureSeconds(seconds)).toBe(text);
  });

  it('ages are coarse', () => {
    expect([5e3, 180e3, 7200e3, 4 * 86400e3].map(figureAge)).toEqual(['5 s', '3 min', '2 h', '4 d']);
  });
});
