import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import * as guards from '../../api/guards';
import * as timeguards from '../../api/timeguards';
import type { Backfill, Execution, SchedulerStatus, Trigger } from '../../api/types';
import { distance, isoDuration } from '../../services/format';
import { copyName, kernelsOf, notebooksOf } from '../../services/leftovers';
import { Schedules, worthShowing } from '../../services/schedules';

const KEY = { namespace: 'a.b', flowId: 'f', triggerId: 't' };
const trigger = (extra = {}) => timeguards.trigger({ state: { ...KEY, ...extra } }) as Trigger;
const backfill = (id: string, state: string) =>
  timeguards.backfill({ ...KEY, id, state }) as Backfill;
const status = timeguards.scheduler({ running: true, leader: true }) as SchedulerStatus;

describe('the shapes of time', () => {
  it('are read from the state beside a trigger, and left out when they have no names', () => {
    expect(trigger({ kind: 'SCHEDULE', nextExecutionDate: '2026-01-01T00:00:00Z' })).toMatchObject({
      ...KEY,
      kind: 'SCHEDULE',
      disabled: false,
      next: Date.UTC(2026, 0, 1)
    });
    expect(timeguards.trigger({ state: { namespace: 'a' } })).toBeUndefined();
    expect(timeguards.backfill({ ...KEY })).toBeUndefined();
    expect(timeguards.scheduler({})).toBeUndefined();
    expect(
      timeguards.scheduler({ running: false, missed: [{ ...KEY, date: 'x' }, null] })?.missed
    ).toEqual([]);
  });

  it('are told as people read them', () => {
    expect(isoDuration('PT1H30M')).toBe('1 h 30 min');
    expect(isoDuration('PT12.4S')).toBe('12.4 s');
    expect(isoDuration('soon')).toBe('soon');
    expect(distance(65_000, 5000)).toBe('in 1 min 00 s');
    expect(distance(0, 7000)).toBe('7 s ago');
  });

  it('keep few of the backfills that are over', () => {
    const all = ['DONE', 'RUNNING', 'DONE', 'CANCELLED', 'DONE', 'PAUSED'].map((state, index) =>
      backfill(String(index), state)
    );
    expect(worthShowing(all).map(each => each.id)).toEqual(['0', '1', '2', '3', '5']);
  });
});

describe('schedules', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const make = (state = 'RUNNING') => {
    const source = {
      scheduler: vi.fn(async () => status),
      triggers: vi.fn(async () => [trigger()]),
      backfills: vi.fn(async () => [backfill('x', state)]),
      switchTrigger: vi.fn(async () => undefined),
      moveBackfill: vi.fn(async () => undefined)
    };
    return { source, schedules: new Schedules(source) };
  };

  it('are polled while watched alone, faster while a backfill runs', async () => {
    const { source, schedules } = make();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.scheduler).not.toHaveBeenCalled();
    schedules.isWatched = true;
    await vi.advanceTimersByTimeAsync(9100);
    expect(source.scheduler.mock.calls.length).toBeGreaterThanOrEqual(5);
    expect(schedules.triggers).toHaveLength(1);
    schedules.isWatched = false;
    await vi.advanceTimersByTimeAsync(3000);
    source.scheduler.mockClear();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(source.scheduler).not.toHaveBeenCalled();
    schedules.dispose();
  });

  it('switch a trigger and move a backfill, then look again', async () => {
    const { source, schedules } = make();
    schedules.isWatched = true;
    await vi.advanceTimersByTimeAsync(100);
    source.scheduler.mockClear();
    void schedules.switch(trigger({ disabled: true }));
    await vi.advanceTimersByTimeAsync(100);
    expect(source.switchTrigger).toHaveBeenCalledWith(expect.objectContaining(KEY), false);
    void schedules.move(backfill('x', 'RUNNING'), 'pause');
    await vi.advanceTimersByTimeAsync(100);
    expect(source.moveBackfill).toHaveBeenCalledWith(expect.objectContaining(KEY), 'pause');
    expect(source.scheduler).toHaveBeenCalledTimes(2);
    schedules.dispose();
  });

  it('say what the server refused, until the next look', async () => {
    const { source, schedules } = make();
    schedules.isWatched = true;
    await vi.advanceTimersByTimeAsync(100);
    source.switchTrigger.mockRejectedValueOnce(new Error('not allowed'));
    void schedules.switch(trigger());
    await vi.advanceTimersByTimeAsync(100);
    expect(schedules.error).toBe('not allowed');
    await vi.advanceTimersByTimeAsync(5000);
    expect(schedules.error).toBe('');
    schedules.dispose();
  });
});

describe('what notebooks leave behind', () => {
  const execution = (outputs: object, current = 'FAILED') =>
    guards.execution({
      id: 'abcdefghijkl',
      taskRunList: [{ id: 'r', taskId: 'report', state: { current }, outputs }]
    }) as Execution;

  it('is found in the outputs, wherever it lies', () => {
    const uri = 'kestra:///a/b/out.ipynb';
    const found = notebooksOf(execution({ notebook: uri, deep: [{ x: 'file:///y.ipynb' }] }));
    expect(found).toEqual([{ task: 'report', uri, name: 'out.ipynb' }]);
    expect(copyName(uri, 'abcdefghijkl')).toBe('out.efghijkl.ipynb');
    expect(copyName('kestra:///a/<b>.ipynb', 'x')).toBe('_b_.x.ipynb');
  });

  it('is a kernel only where the task failed, and its id is one', () => {
    expect(kernelsOf(execution({ kernel: 'k12ab34' }))).toEqual([
      { task: 'report', id: 'k12ab34', command: '%flow attach k12ab34' }
    ]);
    expect(kernelsOf(execution({ kernel: 'k12ab34' }, 'SUCCESS'))).toEqual([]);
    expect(kernelsOf(execution({ kernel: 'rm -rf' }))).toEqual([]);
  });
});
