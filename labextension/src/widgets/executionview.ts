/** One execution: how it stands, when each task ran, what it logged and put out. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Action, Execution, JsonObject } from '../api/types';
import { duration, moment } from '../services/format';
import { endOf } from '../services/gantt';
import type { LiveExecution } from '../services/live';
import { actionsFor, isTerminal } from '../services/states';
import type { Actions } from './actions';
import { button, h } from './dom';
import { Gantt } from './gantt';
import { JsonTree } from './jsontree';
import { Leftovers } from './leftovers';
import { LogList } from './loglist';
import { stateChip } from './statechip';

/** Asks for something that moves the execution on; its failure is shown in the view. */
export type Act = (action: Action) => Promise<void>;

const FRAME = 500; // milliseconds between two drawings of running bars

export class ExecutionView extends Widget {
  constructor(
    private readonly _live: LiveExecution,
    private readonly _actions: Actions,
    private readonly _act: Act,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-nbflow-view');
    this.addClass('jp-mod-empty');
    this._gantt = new Gantt(_trans);
    this._log = new LogList(_trans);
    this._leftovers = new Leftovers(_actions, _trans);
    this._outputs = new JsonTree(_trans.__('No outputs.'));
    this._inputs = new JsonTree(_trans.__('No inputs.'));
    this.node.append(
      this._error,
      this._head,
      this._leftovers.node,
      this._section(_trans.__('Timeline'), this._gantt.node),
      this._section(_trans.__('Logs'), this._log.node),
      this._section(_trans.__('Outputs'), this._outputs.node),
      this._section(_trans.__('Inputs'), this._inputs.node)
    );
    this._live.changed.connect(this._draw, this);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    clearInterval(this._clock);
    this._live.changed.disconnect(this._draw, this);
    this._live.dispose();
    super.dispose();
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) {
      this.onAfterShow();
    }
  }

  protected override onAfterShow(): void {
    if (!this._live.isWatched) {
      this._live.watch();
    }
    clearInterval(this._clock);
    this._clock = window.setInterval(() => this._tick(), FRAME);
  }

  protected override onAfterHide(): void {
    clearInterval(this._clock);
    this._live.unwatch();
  }

  protected override onBeforeDetach(): void {
    this.onAfterHide();
  }

  private _tick(): void {
    const { execution } = this._live;
    if (execution && !isTerminal(execution.state.current) && !document.hidden) {
      this._drawMoving(execution);
    }
  }

  private _draw(): void {
    const { execution, error, logs } = this._live;
    this._show(error);
    if (!execution) {
      return;
    }
    this.removeClass('jp-mod-empty');
    this.title.label = execution.flowId;
    this.title.caption = `${execution.namespace}.${execution.flowId} ${execution.id}`;
    this._drawMoving(execution);
    this._drawHead(execution);
    this._log.update(logs);
    this._drawTrees(execution);
  }

  /** At most once a second while it runs: outputs may be large, and events many. */
  private _drawTrees(execution: Execution): void {
    const now = Date.now();
    if (isTerminal(execution.state.current) || now - this._drawnAt > 1000) {
      this._drawnAt = now;
      this._outputs.update(allOutputs(execution));
      this._leftovers.update(execution);
      this._inputs.update(execution.inputs);
    }
  }

  private _drawMoving(execution: Execution): void {
    const now = Date.now();
    const { state } = execution;
    this._gantt.update(execution, now);
    if (state.start !== undefined) {
      const took = duration(endOf(state, now) - state.start);
      this._times.textContent = this._trans.__('%1, took %2', moment(state.start, now), took);
    }
  }

  private _drawHead(execution: Execution): void {
    const { namespace, flowId, state, triggerId } = execution;
    const openFlow = () => this._actions.openFlow(namespace, flowId);
    const labels = execution.labels.filter(label => !label.key.startsWith('system.'));
    this._head.replaceChildren(
      h(
        'div',
        { class: 'jp-nbflow-head-line' },
        stateChip(state.current),
        button(`${namespace}.${flowId}`, openFlow, { class: 'jp-nbflow-link jp-nbflow-title' }),
        execution.flowRevision !== undefined &&
          h('span', {}, this._trans.__('revision %1', execution.flowRevision)),
        this._times,
        h('span', { class: 'jp-nbflow-spring' }),
        ...this._buttons(state.current)
      ),
      h(
        'div',
        { class: 'jp-nbflow-head-line jp-nbflow-faded' },
        h('code', {}, execution.id),
        triggerId !== undefined && h('span', {}, this._trans.__('started by %1', triggerId)),
        ...labels.map(label =>
          h('span', { class: 'jp-nbflow-label' }, `${label.key}: ${label.value}`)
        )
      )
    );
  }

  private _buttons(state: string): HTMLElement[] {
    const labels: Record<Action, string> = {
      pause: this._trans.__('Pause'),
      resume: this._trans.__('Resume'),
      'force-run': this._trans.__('Run Now'),
      restart: this._trans.__('Restart'),
      replay: this._trans.__('Replay'),
      kill: this._trans.__('Kill')
    };
    return actionsFor(state).map(action =>
      button(labels[action], () => void this._perform(action), { 'data-action': action })
    );
  }

  private async _perform(action: Action): Promise<void> {
    this._head.querySelectorAll('button[data-action]').forEach(each => {
      each.toggleAttribute('disabled', true);
    });
    try {
      await this._act(action);
      this._live.watch();
    } catch (error) {
      this._draw();
      this._show(error instanceof Error ? error.message : String(error));
    }
  }

  private _show(error: string): void {
    this._error.textContent = error;
    this._error.hidden = error === '';
  }

  private _section(title: string, body: HTMLElement): HTMLElement {
    return h(
      'details',
      { class: 'jp-nbflow-section', open: true },
      h('summary', { class: 'jp-nbflow-heading' }, title),
      body
    );
  }

  private _error = h('p', { class: 'jp-nbflow-error', role: 'alert', hidden: true });
  private _head = h('header', { class: 'jp-nbflow-head' });
  private _times = h('span', { class: 'jp-nbflow-times' });
  private _outputs: JsonTree;
  private _inputs: JsonTree;
  private _drawnAt = 0;
  private _gantt: Gantt;
  private _leftovers: Leftovers;
  private _log: LogList;
  private _clock = 0;
}

/** The flow's own outputs first, then those of the task runs that have some. */
function allOutputs(execution: Execution): JsonObject {
  const found: JsonObject = { ...execution.outputs };
  for (const run of execution.taskRuns) {
    if (Object.keys(run.outputs).length) {
      const name = run.value === undefined ? run.taskId : `${run.taskId} · ${run.value}`;
      found[name in found ? `${name} (${run.id})` : name] = run.outputs;
    }
  }
  return found;
}
