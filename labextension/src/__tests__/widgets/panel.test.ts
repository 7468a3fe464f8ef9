import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { afterEach, describe, expect, it, vi } from 'vitest';

import * as guards from '../../api/guards';
import * as timeguards from '../../api/timeguards';
import type { Execution, Flow, SchedulerStatus } from '../../api/types';
import { Executions } from '../../services/executions';
import { Flows } from '../../services/flows';
import { Schedules } from '../../services/schedules';
import { Panel } from '../../widgets/panel';

const trans = nullTranslator.load('nbflow');
const page = <T>(results: T[]) => ({ results, total: results.length });

function makePanel(flowList: object[], executionList: object[], failure = '') {
  const answer = <T>(results: T[]) =>
    failure ? Promise.reject(new Error(failure)) : Promise.resolve(page(results));
  const flows = new Flows(() => answer(flowList.map(each => guards.flow(each) as Flow)));
  const executions = new Executions(() =>
    answer(executionList.map(each => guards.execution(each) as Execution))
  );
  const schedules = new Schedules({
    scheduler: async () => timeguards.scheduler({ running: false }) as SchedulerStatus,
    triggers: async () => [],
    backfills: async () => [],
    switchTrigger: async () => undefined,
    moveBackfill: async () => undefined
  });
  const actions = {
    openFlow: vi.fn(),
    openExecution: vi.fn(),
    openNotebook: vi.fn(),
    copy: vi.fn(),
    runFlow: vi.fn(),
    refresh: vi.fn()
  };
  const panel = new Panel({ flows, executions, schedules }, actions, trans);
  Widget.attach(panel, document.body);
  const find = (selector: string) => panel.node.querySelector<HTMLElement>(selector);
  return { panel, actions, find };
}

describe('the panel', () => {
  afterEach(() => {
    document.body.replaceChildren();
  });

  it('tells a newcomer what to do', async () => {
    const { panel } = makePanel([], []);
    await vi.waitFor(() =>
      expect(panel.node.textContent).toContain('Put %%flow on the first line')
    );
    expect(panel.node.textContent).toContain('Nothing has run yet');
    await vi.waitFor(() => expect(panel.node.textContent).toContain('No scheduler is running'));
    panel.dispose();
  });

  it('opens and runs flows, opens executions', async () => {
    const flow = { id: 'hello', namespace: 'a.b' };
    const { panel, actions, find } = makePanel(
      [flow],
      [{ id: 'x1', flowId: 'hello', state: { current: 'RUNNING' } }]
    );
    await vi.waitFor(() => expect(find('[data-execution]')).not.toBeNull());
    await vi.waitFor(() => expect(find('.jp-nbflow-link')).not.toBeNull());
    find('.jp-nbflow-link')?.click();
    find('[aria-label="Run hello"]')?.click();
    find('[data-execution]')?.click();
    expect(actions.openFlow).toHaveBeenCalledWith('a.b', 'hello');
    expect(actions.runFlow).toHaveBeenCalledWith('a.b', 'hello');
    expect(actions.openExecution).toHaveBeenCalledWith('x1');
    expect(find('.jp-nbflow-state-running')?.textContent).toBe('RUNNING');
    panel.dispose();
  });

  it('shows the server’s refusal, not an empty list', async () => {
    const { panel, find } = makePanel([], [], 'not today');
    await vi.waitFor(() => expect(find('[role=alert]')?.textContent).toBe('not today'));
    expect(find('[role=alert]')?.hidden).toBe(false);
    expect(panel.node.textContent).not.toContain('No flows yet');
    panel.dispose();
  });

  it('keeps groups folded and shows names as text', async () => {
    const evil = '<img src=x>';
    const { panel, find } = makePanel([{ id: evil, namespace: evil }], []);
    await vi.waitFor(() => expect(find('details')).not.toBeNull());
    find('details')?.removeAttribute('open');
    const filter = find('input') as HTMLInputElement;
    filter.dispatchEvent(new Event('input'));
    expect(find('details')?.hasAttribute('open')).toBe(false);
    expect(find('img')).toBeNull();
    panel.dispose();
  });
});
