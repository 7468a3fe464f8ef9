import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import * as guards from '../../api/guards';
import type { Execution, Flow, Page } from '../../api/types';
import { Executions } from '../../services/executions';
import { Flows, groupFlows } from '../../services/flows';
import { stateClass } from '../../services/states';

const flow = (namespace: string, id: string, labels = {}) =>
  guards.flow({ namespace, id, labels }) as Flow;
const page = <T>(...results: T[]): Page<T> => ({ results, total: results.length });

describe('flows', () => {
  it('are grouped and filtered by all words', () => {
    const flows = [flow('b', 'two'), flow('a.x', 'zed', { team: 'data' }), flow('a.x', 'one')];
    expect([...groupFlows(flows, '')].map(([key, all]) => [key, all.map(f => f.id)])).toEqual([
      ['a.x', ['one', 'zed']],
      ['b', ['two']]
    ]);
    expect([...groupFlows(flows, 'A.X team:data').values()].flat()).toMatchObject([{ id: 'zed' }]);
    expect(groupFlows(flows, 'nothing').size).toBe(0);
  });

  it('tell of changes alone, and keep the old list on errors', async () => {
    let answer = async () => page(flow('a', 'b'));
    const flows = new Flows(() => answer());
    const seen = vi.fn();
    flows.changed.connect(seen);
    await flows.refresh();
    await flows.refresh();
    expect(seen).toHaveBeenCalledTimes(1);
    answer = () => Promise.reject(new Error('gone'));
    await flows.refresh();
    expect([flows.error, flows.items.length, seen.mock.calls.length]).toEqual(['gone', 1, 2]);
  });
});

describe('executions', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const execution = (current: string) =>
    guards.execution({ id: 'x', state: { current } }) as Execution;

  it('are polled while watched, faster while something runs', async () => {
    let current = 'RUNNING';
    const fetch = vi.fn(async () => page(execution(current)));
    const executions = new Executions(fetch);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(fetch).not.toHaveBeenCalled();
    executions.isWatched = true;
    await vi.advanceTimersByTimeAsync(10_500);
    const busy = fetch.mock.calls.length;
    expect(busy).toBeGreaterThanOrEqual(5);
    current = 'SUCCESS';
    await vi.advanceTimersByTimeAsync(3000);
    fetch.mockClear();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(fetch.mock.calls.length).toBe(2);
    executions.isWatched = false;
    await vi.advanceTimersByTimeAsync(6000);
    fetch.mockClear();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(fetch).not.toHaveBeenCalled();
    executions.dispose();
  });

  it('say why they are out of date', async () => {
    const executions = new Executions(() => Promise.reject(new Error('gone')));
    executions.isWatched = true;
    await vi.advanceTimersByTimeAsync(100);
    expect(executions.error).toBe('gone');
    executions.dispose();
  });
});

describe('states', () => {
  it('never make a class of unknown text', () => {
    expect(stateClass('RUNNING')).toBe('jp-nbflow-state-running');
    expect(stateClass('"> evil')).toBe('jp-nbflow-state-created');
  });
});
