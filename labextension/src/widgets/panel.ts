/** The left panel: flows by namespace, the scheduler with its triggers, and the latest executions. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Execution, Flow } from '../api/types';
import type { Executions } from '../services/executions';
import { type Flows, groupFlows } from '../services/flows';
import { duration, moment } from '../services/format';
import { endOf } from '../services/gantt';
import type { Schedules } from '../services/schedules';
import { isTerminal } from '../services/states';
import type { Actions } from './actions';
import { button, h } from './dom';
import { ScheduleList } from './schedulelist';
import { stateChip } from './statechip';

/** What the panel shows. */
export interface Shown {
  flows: Flows;
  executions: Executions;
  schedules: Schedules;
}

export class Panel extends Widget {
  constructor(
    { flows, executions, schedules }: Shown,
    private readonly _actions: Actions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-nbflow-panel');
    this._flows = flows;
    this._executions = executions;
    this._schedules = schedules;
    this._scheduleList = new ScheduleList(schedules, _actions, _trans);
    this._filter = h('input', {
      class: 'jp-nbflow-input',
      type: 'search',
      placeholder: _trans.__('Filter flows'),
      'aria-label': _trans.__('Filter flows'),
      oninput: () => this._drawFlows()
    });
    const refresh = button('⟳', () => _actions.refresh(), {
      class: 'jp-nbflow-button jp-nbflow-icon-button',
      title: _trans.__('Refresh'),
      'aria-label': _trans.__('Refresh')
    });
    this.node.append(
      h('div', { class: 'jp-nbflow-panel-bar' }, this._filter, refresh),
      this._error,
      h('h2', { class: 'jp-nbflow-heading' }, _trans.__('Flows')),
      this._flowList,
      h('h2', { class: 'jp-nbflow-heading' }, _trans.__('Schedules and triggers')),
      this._scheduleList.node,
      h('h2', { class: 'jp-nbflow-heading' }, _trans.__('Latest executions')),
      this._executionList
    );
    flows.changed.connect(this._drawFlows, this);
    executions.changed.connect(this._onExecutions, this);
    this._drawFlows();
    this._drawExecutions();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._executions.isWatched = this._schedules.isWatched = false;
    this._scheduleList.dispose();
    this._flows.changed.disconnect(this._drawFlows, this);
    this._executions.changed.disconnect(this._onExecutions, this);
    clearInterval(this._clock);
    super.dispose();
  }

  protected override onAfterShow(): void {
    this._executions.isWatched = this._schedules.isWatched = true;
    void this._flows.refresh();
    clearInterval(this._clock);
    this._clock = window.setInterval(() => this._tick(), 1000);
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) {
      this.onAfterShow();
    }
  }

  protected override onAfterHide(): void {
    this._executions.isWatched = this._schedules.isWatched = false;
    clearInterval(this._clock);
  }

  protected override onBeforeDetach(): void {
    this.onAfterHide();
  }

  /** Running durations grow; a flow that somebody deploys meanwhile shows up, too. */
  private _tick(): void {
    this._ticks += 1;
    if (this._executions.items.some(item => !isTerminal(item.state.current))) {
      this._drawExecutions();
    }
    if (this._ticks % 5 === 0) {
      this._scheduleList.draw();
    }
    if (this._ticks % 10 === 0 && !document.hidden) {
      void this._flows.refresh();
    }
  }

  /** A new execution of a flow not seen yet: it was just deployed. */
  private _onExecutions(): void {
    this._drawExecutions();
    const newest = this._executions.items[0];
    if (newest && newest.id !== this._newest) {
      this._newest = newest.id;
      void this._flows.refresh();
    }
  }

  private _drawFlows(): void {
    const { items, isLoaded } = this._flows;
    this._drawError();
    const groups = groupFlows(items, this._filter.value);
    const empty = !isLoaded
      ? ''
      : items.length
        ? this._trans.__('No flow matches.')
        : this._trans.__(
            'No flows yet. Put %1 on the first line of a cell, the YAML of a flow below it, and run the cell.',
            '%%flow'
          );
    const folded = new Set(
      [...this._flowList.querySelectorAll<HTMLElement>('details:not([open])')].map(
        each => each.dataset.namespace
      )
    );
    const sections = [...groups].map(([namespace, flows]) =>
      h(
        'details',
        { class: 'jp-nbflow-group', 'data-namespace': namespace, open: !folded.has(namespace) },
        h('summary', {}, namespace, h('span', { class: 'jp-nbflow-count' }, `${flows.length}`)),
        ...flows.map(flow => this._flowRow(flow))
      )
    );
    this._flowList.replaceChildren(...(groups.size ? sections : [this._empty(empty)]));
  }

  private _flowRow(flow: Flow): HTMLElement {
    const open = () => this._actions.openFlow(flow.namespace, flow.id);
    const classes = `jp-nbflow-link ${flow.disabled ? 'jp-mod-disabled' : ''}`;
    const run = button('▶', () => this._actions.runFlow(flow.namespace, flow.id), {
      class: 'jp-nbflow-button jp-nbflow-icon-button',
      title: this._trans.__('Run %1', flow.id),
      'aria-label': this._trans.__('Run %1', flow.id),
      disabled: flow.disabled
    });
    const title = flow.description || `${flow.namespace}.${flow.id}`;
    return h(
      'div',
      { class: 'jp-nbflow-row' },
      button(flow.id, open, { class: classes, title }),
      run
    );
  }

  private _drawExecutions(): void {
    this._drawError();
    const { items, isLoaded } = this._executions;
    const now = Date.now();
    const words = this._trans.__('Nothing has run yet. Press ▶ beside a flow.');
    const rows = items.map(item => this._executionRow(item, now));
    this._executionList.replaceChildren(
      ...(rows.length ? rows : [this._empty(isLoaded ? words : '')])
    );
  }

  private _executionRow(execution: Execution, now: number): HTMLElement {
    const { start, current } = execution.state;
    const took = start === undefined ? '' : duration(endOf(execution.state, now) - start);
    return h(
      'button',
      {
        type: 'button',
        class: 'jp-nbflow-row jp-nbflow-execution-row',
        title: `${execution.namespace}.${execution.flowId} ${execution.id}`,
        'data-execution': execution.id,
        onclick: () => this._actions.openExecution(execution.id)
      },
      stateChip(current),
      h('span', { class: 'jp-nbflow-row-name' }, execution.flowId),
      h(
        'span',
        { class: 'jp-nbflow-row-time' },
        start === undefined ? '' : `${moment(start, now, true)} · ${took}`
      )
    );
  }

  private _drawError(): void {
    const error = this._flows.error || this._executions.error;
    this._error.textContent = error;
    this._error.hidden = error === '';
  }

  private _empty(words: string): HTMLElement {
    return h('p', { class: 'jp-nbflow-empty' }, words);
  }

  private readonly _flows: Flows;
  private readonly _executions: Executions;
  private readonly _schedules: Schedules;
  private readonly _scheduleList: ScheduleList;
  private _filter: HTMLInputElement;
  private _error = h('p', { class: 'jp-nbflow-error', role: 'alert', hidden: true });
  private _flowList = h('div', { class: 'jp-nbflow-flows' });
  private _executionList = h('div', { class: 'jp-nbflow-executions' });
  private _newest = '';
  private _ticks = 0;
  private _clock = 0;
}
