import { createTurns } from '../../src/syscalls/turns.ts';

describe('turns', () => {
  it('let so many run at a time, in order, and go on after a failure', async () => {
    const turn = createTurns(2);
    const started: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const works = gates.map((gate, index) =>
      turn(async () => {
        started.push(index);
        await gate.promise;
        return index;
      }).catch((error: Error) => error.message),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    gates[1]?.reject(new Error('one fails'));
    expect(await works[1]).toBe('one fails');
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect(await Promise.all(works)).toEqual([0, 'one fails', 2, 3, 4]);
  });
});
