/** The part of the panel about time: the scheduler, what was missed, triggers, backfills. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Backfill, SchedulerStatus, Trigger, TriggerKey } from '../api/types';
import { distance, isoDuration, moment } from '../services/format';
import { isOver, type Schedules } from '../services/schedules';
import { stateClass } from '../services/states';
import type { Actions } from './actions';
import { button, h } from './dom';

const MOST_MISSED = 5;
const LATE = 10_000; // milliseconds after which a date that nobody fired is remarkable

export class ScheduleList {
  readonly node = h('div', { class: 'jp-nbflow-schedules' });

  constructor(
    private readonly _schedules: Schedules,
    private readonly _actions: Pick<Actions, 'openFlow' | 'openExecution'>,
    private readonly _trans: TranslationBundle
  ) {
    _schedules.changed.connect(this.draw, this);
    this.draw();
  }

  dispose(): void {
    this._schedules.changed.disconnect(this.draw, this);
  }

  /** Also once in a while by whoever shows it: distances in time change by themselves. */
  draw(): void {
    const { status, triggers, backfills, error } = this._schedules;
    const now = Date.now();
    const focused = document.activeElement?.getAttribute('data-key');
    const scrolled = this._list.scrollTop;
    this._list.replaceChildren(...triggers.map(each => this._triggerRow(each, now)));
    this.node.replaceChildren(
      ...(status ? this._scheduler(status, now) : []),
      ...(error ? [h('p', { class: 'jp-nbflow-error', role: 'alert' }, error)] : []),
      this._list,
      ...(backfills.length
        ? [h('h3', { class: 'jp-nbflow-subheading' }, this._trans.__('Backfills'))]
        : []),
      ...backfills.map(each => this._backfillRow(each, now))
    );
    this._list.scrollTop = scrolled;
    if (focused) {
      this.node.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  private _scheduler(status: SchedulerStatus, now: number): HTMLElement[] {
    const trans = this._trans;
    const since = status.since === undefined ? '' : moment(status.since, now, true);
    const place = status.isHere
      ? trans.__('in this Jupyter server')
      : trans.__('on %1, process %2', status.host || '?', String(status.pid ?? '?'));
    const words = status.isRunning
      ? trans.__('Scheduler running %1 since %2.', place, since)
      : trans.__(
          'No scheduler is running: nothing fires. It is switched off here; `nbflow server` runs one.'
        );
    const mark = h('span', { class: 'jp-nbflow-light' });
    const parts = [
      h(
        'p',
        { class: `jp-nbflow-scheduler ${status.isRunning ? 'jp-mod-on' : 'jp-mod-off'}` },
        mark,
        h('span', {}, words)
      )
    ];
    if (status.missed.length) {
      const shown = status.missed.slice(0, MOST_MISSED);
      const rest = status.missed.length - shown.length;
      const lines = shown.map(each =>
        h('div', {}, `${each.flowId}.${each.triggerId} ${moment(each.date, now, true)}`)
      );
      const more = rest > 0 ? h('div', {}, trans.__('… and %1 more', String(rest))) : undefined;
      parts.push(
        h(
          'div',
          { class: 'jp-nbflow-missed', role: 'status' },
          trans.__('Missed so far:'),
          ...lines,
          more
        )
      );
    }
    if (status.triggers === 0 && this._schedules.triggers.length === 0) {
      const empty = trans.__('No triggers yet. A flow has them under `triggers:`.');
      parts.push(h('p', { class: 'jp-nbflow-empty' }, empty));
    }
    return parts;
  }

  private _triggerRow(trigger: Trigger, now: number): HTMLElement {
    const trans = this._trans;
    const name = `${trigger.flowId}.${trigger.triggerId}`;
    const full = `${trigger.namespace}.${name}`;
    const toggle = h('input', {
      type: 'checkbox',
      role: 'switch',
      class: 'jp-nbflow-switch',
      checked: !trigger.disabled,
      'data-key': `switch ${keyOf(trigger)}`,
      'aria-label': trans.__('%1 fires', full),
      title: trigger.disabled ? trans.__('Switch on') : trans.__('Switch off'),
      onchange: () => {
        toggle.disabled = true;
        void this._schedules.switch(trigger);
      }
    });
    const open = () => this._actions.openFlow(trigger.namespace, trigger.flowId);
    const says = trigger.error
      ? h('div', { class: 'jp-nbflow-trigger-error', title: trigger.error }, trigger.error)
      : undefined;
    return h(
      'div',
      { class: 'jp-nbflow-trigger', 'data-trigger': full },
      h(
        'div',
        { class: 'jp-nbflow-row' },
        toggle,
        button(name, open, {
          class: `jp-nbflow-link ${trigger.disabled ? 'jp-mod-disabled' : ''}`,
          title: `${full} (${trigger.kind.toLowerCase()})`
        }),
        this._nextOf(trigger, now)
      ),
      says
    );
  }

  private _nextOf(trigger: Trigger, now: number): HTMLElement {
    const { executionId } = trigger;
    if (trigger.locked && executionId !== undefined) {
      return button(this._trans.__('waits'), () => this._actions.openExecution(executionId), {
        class: 'jp-nbflow-link jp-nbflow-row-time',
        title: this._trans.__('It waits for execution %1', executionId)
      });
    }
    const isComing = trigger.next !== undefined && !trigger.disabled;
    const words = trigger.disabled
      ? this._trans.__('off')
      : isComing
        ? this._distance(trigger.next ?? now, now)
        : trigger.kind.toLowerCase();
    const title = isComing ? moment(trigger.next ?? now, now) : '';
    return h('span', { class: 'jp-nbflow-row-time', title }, words);
  }

  private _distance(next: number, now: number): string {
    const words = distance(next, now);
    return next < now - LATE ? this._trans.__('due %1', words) : words;
  }

  private _backfillRow(backfill: Backfill, now: number): HTMLElement {
    const trans = this._trans;
    const { total, succeeded, failed, running } = backfill;
    const ended = succeeded + failed;
    const facts = [trans.__('%1 of %2', String(ended), String(total))];
    if (failed) {
      facts.push(trans.__('%1 failed', String(failed)));
    }
    if (running) {
      facts.push(trans.__('%1 running', String(running)));
    }
    if (backfill.eta && !isOver(backfill)) {
      facts.push(trans.__('%1 to go', isoDuration(backfill.eta)));
    }
    const range = [backfill.start, backfill.end].map(each =>
      each === undefined ? '?' : moment(each, now, true)
    );
    return h(
      'div',
      { class: 'jp-nbflow-backfill', 'data-backfill': backfill.id },
      h(
        'div',
        { class: 'jp-nbflow-row', title: `${range.join(' – ')} ${backfill.id}` },
        chip(backfill),
        h('span', { class: 'jp-nbflow-row-name' }, `${backfill.flowId}.${backfill.triggerId}`),
        ...this._moves(backfill)
      ),
      bar(total, succeeded, failed),
      h('div', { class: 'jp-nbflow-backfill-facts' }, facts.join(' · '))
    );
  }

  private _moves(backfill: Backfill): HTMLElement[] {
    const make = (sign: string, words: string, move: 'pause' | 'unpause' | 'delete') =>
      button(sign, () => void this._schedules.move(backfill, move), {
        class: 'jp-nbflow-button jp-nbflow-icon-button',
        title: words,
        'aria-label': words,
        'data-key': `${move} ${backfill.id}`
      });
    if (isOver(backfill)) {
      return [];
    }
    const turn =
      backfill.state === 'PAUSED'
        ? make('▶', this._trans.__('Resume the backfill'), 'unpause')
        : make('‖', this._trans.__('Pause the backfill'), 'pause');
    return [turn, make('✕', this._trans.__('Cancel the backfill'), 'delete')];
  }

  private _list = h('div', { class: 'jp-nbflow-trigger-list' });
}

/** A backfill is coloured as an execution of that outcome is. */
function chip({ state, failed }: Backfill): HTMLElement {
  const looks = state === 'DONE' ? (failed ? 'WARNING' : 'SUCCESS') : state;
  return h('span', { class: `jp-nbflow-chip ${stateClass(looks)}` }, state);
}

function keyOf({ namespace, flowId, triggerId }: TriggerKey): string {
  return `${namespace}.${flowId}.${triggerId}`;
}

function bar(total: number, succeeded: number, failed: number): HTMLElement {
  const share = (count: number) => `width: ${total ? ((100 * count) / total).toFixed(2) : 0}%`;
  return h(
    'div',
    {
      class: 'jp-nbflow-progress',
      role: 'progressbar',
      'aria-valuemin': '0',
      'aria-valuemax': String(total),
      'aria-valuenow': String(succeeded + failed)
    },
    h('div', { class: 'jp-nbflow-progress-ok', style: share(succeeded) }),
    h('div', { class: 'jp-nbflow-progress-bad', style: share(failed) })
  );
}
