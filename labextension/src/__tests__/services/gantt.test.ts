import { describe, expect, it } from 'vitest';

import * as guards from '../../api/guards';
import type { Execution } from '../../api/types';
import { duration, ticks } from '../../services/format';
import { chart } from '../../services/gantt';

const time = (seconds: number) => new Date(1e12 + seconds * 1000).toISOString();
const state = (current: string, from: number, to?: number) => ({
  current,
  startDate: time(from),
  ...(to === undefined ? {} : { endDate: time(to) })
});
const run = (id: string, more: object) => ({ id, taskId: id, ...more });
const execution = (taskRunList: object[], whole = state('RUNNING', 0)) =>
  guards.execution({ id: 'x', state: whole, taskRunList }) as Execution;

describe('a chart', () => {
  it('puts children below their parent, siblings by time', () => {
    const runs = [
      run('late', { state: state('RUNNING', 5) }),
      run('child2', { parentTaskRunId: 'nest', value: 'b', state: state('SUCCESS', 3, 4) }),
      run('nest', { state: state('RUNNING', 1) }),
      run('child1', { parentTaskRunId: 'nest', iteration: 0, state: state('SUCCESS', 2, 4) }),
      run('lost', { parentTaskRunId: 'gone', state: state('SUCCESS', 6, 7) })
    ];
    const { rows } = chart(execution(runs), 1e12 + 10_000);
    expect(rows.map(row => [row.label, row.depth])).toEqual([
      ['nest', 0],
      ['child1 · #0', 1],
      ['child2 · b', 1],
      ['late', 0],
      ['lost', 0]
    ]);
  });

  it('spans from the beginning to the end, or to now', () => {
    const runs = [
      run('a', { state: state('SUCCESS', 0, 5) }),
      run('b', { state: state('RUNNING', 5) })
    ];
    const { rows, span } = chart(execution(runs), 1e12 + 10_000);
    expect(span).toBe(10_000);
    expect(rows.map(row => row.bar)).toEqual([
      { from: 0, to: 0.5, state: 'SUCCESS' },
      { from: 0.5, to: 1, state: 'RUNNING' }
    ]);
  });

  it('shows attempts where there was more than one', () => {
    const attempts = [{ state: state('FAILED', 0, 2) }, { state: state('SUCCESS', 4, 8) }];
    const whole = state('SUCCESS', 0, 8);
    const runs = [
      run('a', { state: whole, attempts }),
      run('b', { state: whole, attempts: [attempts[1]] })
    ];
    const { rows } = chart(execution(runs, whole), 0);
    expect(rows[0]?.attempts).toEqual([
      { from: 0, to: 0.25, state: 'FAILED' },
      { from: 0.5, to: 1, state: 'SUCCESS' }
    ]);
    expect(rows[1]?.attempts).toEqual([]);
  });

  it('survives thousands of task runs, rings and missing times', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => run(`t${i}`, { parentTaskRunId: 'p' }));
    const ring = [run('a', { parentTaskRunId: 'b' }), run('b', { parentTaskRunId: 'a' })];
    const { rows } = chart(execution([run('p', {}), ...many, ...ring]), 1e12);
    expect(rows).toHaveLength(20_001);
  });
});

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1500, '1.5 s'],
    [59_990, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h']
  ])('%i ms reads %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it('have round marks', () => {
    expect(ticks(10_000)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
    expect(ticks(3)).toEqual([0, 1, 2, 3]);
    expect(ticks(0)).toEqual([]);
    expect(ticks(1e10).length).toBeLessThan(7);
  });
});
