import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, describe, expect, it, vi } from 'vitest';

import * as guards from '../../api/guards';
import * as timeguards from '../../api/timeguards';
import type { Backfill, Execution, SchedulerStatus, Trigger } from '../../api/types';
import { Schedules } from '../../services/schedules';
import { Leftovers } from '../../widgets/leftovers';
import { ScheduleList } from '../../widgets/schedulelist';

const trans = nullTranslator.load('nbflow');
const KEY = { namespace: 'a.b', flowId: 'f', triggerId: 't' };

async function make(status: object, triggers: object[] = [], backfills: object[] = []) {
  const source = {
    scheduler: async () => timeguards.scheduler(status) as SchedulerStatus,
    triggers: async () =>
      triggers.map(each => timeguards.trigger({ state: { ...KEY, ...each } }) as Trigger),
    backfills: async () =>
      backfills.map(each => timeguards.backfill({ ...KEY, ...each }) as Backfill),
    switchTrigger: vi.fn(async () => undefined),
    moveBackfill: vi.fn(async () => undefined)
  };
  const actions = { openFlow: vi.fn(), openExecution: vi.fn() };
  const schedules = new Schedules(source);
  const list = new ScheduleList(schedules, actions, trans);
  document.body.append(list.node);
  schedules.isWatched = true;
  await vi.waitFor(() => expect(schedules.status).toBeDefined());
  const find = (selector: string) => list.node.querySelector<HTMLElement>(selector);
  return { list, schedules, source, actions, find };
}

describe('the list of schedules', () => {
  afterEach(() => {
    document.body.replaceChildren();
  });

  it('says where a scheduler runs, or that none does, and what was missed', async () => {
    const here = await make({ running: true, leader: true, since: '2026-01-01T00:00:00Z' });
    expect(here.list.node.textContent).toContain('Scheduler running in this Jupyter server');
    expect(here.find('.jp-mod-on')).not.toBeNull();
    const there = await make({ running: true, host: 'box', pid: 7 });
    expect(there.list.node.textContent).toContain('on box, process 7');
    const missed = Array.from({ length: 7 }, () => ({ ...KEY, date: '2026-01-01T00:00:00Z' }));
    const none = await make({ running: false, missed });
    expect(none.list.node.textContent).toContain('No scheduler is running');
    expect(none.find('.jp-nbflow-missed')?.textContent).toContain('… and 2 more');
  });

  it('switches triggers by a checkbox that keyboards reach', async () => {
    const { find, source, list } = await make({ running: true }, [
      { kind: 'SCHEDULE', nextExecutionDate: new Date(Date.now() + 61_000).toISOString() }
    ]);
    const toggle = find('input') as HTMLInputElement;
    expect([toggle.checked, toggle.getAttribute('role')]).toEqual([true, 'switch']);
    expect(list.node.textContent).toMatch(/in 1 min/);
    toggle.click();
    await vi.waitFor(() => expect(source.switchTrigger).toHaveBeenCalledTimes(1));
    expect(source.switchTrigger.mock.calls).toEqual([[expect.objectContaining(KEY), true]]);
  });

  it('opens the execution that a trigger waits for, and shows errors as text', async () => {
    const evil = '<img src=x>';
    const { find, actions } = await make({ running: true }, [
      { locked: true, executionId: 'e1', error: evil }
    ]);
    find('button.jp-nbflow-row-time')?.click();
    expect(actions.openExecution).toHaveBeenCalledWith('e1');
    expect(find('.jp-nbflow-trigger-error')?.textContent).toBe(evil);
    expect(find('img')).toBeNull();
  });

  it('shows how far backfills are, and pauses, resumes and cancels them', async () => {
    const one = { id: 'b1', state: 'RUNNING', total: 10, succeeded: 3, failed: 1, eta: 'PT1M30S' };
    const { find, source, list } = await make({ running: true }, [], [one]);
    expect(list.node.textContent).toContain('4 of 10 · 1 failed · 1 min 30 s to go');
    expect(find('[role=progressbar]')?.getAttribute('aria-valuenow')).toBe('4');
    find('[aria-label="Pause the backfill"]')?.click();
    find('[aria-label="Cancel the backfill"]')?.click();
    await vi.waitFor(() => expect(source.moveBackfill).toHaveBeenCalledTimes(2));
    expect(source.moveBackfill.mock.calls.map((call: unknown[]) => call[1])).toEqual([
      'pause',
      'delete'
    ]);
    const paused = await make({ running: true }, [], [{ ...one, state: 'PAUSED' }]);
    expect(paused.find('[aria-label="Resume the backfill"]')).not.toBeNull();
    const over = await make({ running: true }, [], [{ ...one, state: 'DONE' }]);
    expect(over.find('.jp-nbflow-icon-button')).toBeNull();
  });
});

describe('what an execution leaves behind', () => {
  it('is opened and copied by one click', () => {
    const uri = 'kestra:///a/report.ipynb';
    const outputs = { notebook: uri, kernel: 'k12ab34' };
    const run = { id: 'r', taskId: 'report', state: { current: 'FAILED' }, outputs };
    const actions = { openNotebook: vi.fn(), copy: vi.fn() };
    const lines = new Leftovers(actions, trans);
    lines.update(guards.execution({ id: 'e1', taskRunList: [run] }) as Execution);
    const [copy, open] = lines.node.querySelectorAll('button');
    copy?.click();
    open?.click();
    expect(actions.copy).toHaveBeenCalledWith('%flow attach k12ab34');
    expect(actions.openNotebook).toHaveBeenCalledWith('e1', uri);
  });
});
