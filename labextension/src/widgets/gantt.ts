/** The Gantt chart of an execution: one rectangle a task run, tries within it. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Execution } from '../api/types';
import { duration, ticks } from '../services/format';
import { type Bar, chart, type Row } from '../services/gantt';
import { stateClass } from '../services/states';
import { button, h, s } from './dom';

const ROW = 22; // pixels; the style sheet has the same
const PORTION = 200;

export class Gantt {
  readonly node = h('div', { class: 'jp-nbflow-gantt' });

  constructor(private readonly _trans: TranslationBundle) {}

  update(execution: Execution, now: number): void {
    const { rows, span } = chart(execution, now);
    if (rows.length === 0) {
      this.node.replaceChildren(
        h('p', { class: 'jp-nbflow-empty' }, this._trans.__('No task has started yet.'))
      );
      return;
    }
    const shown = rows.slice(0, this._limit);
    const height = ROW * shown.length;
    const labels = shown.map(row => this._label(row));
    const bars = s(
      'svg',
      {
        class: 'jp-nbflow-gantt-bars',
        width: '100%',
        height: String(height),
        role: 'img',
        'aria-label': this._trans.__('When each task ran')
      },
      ...ticks(span).map(at => tickLine(at / span)),
      ...shown.map((row, index) => this._row(row, index))
    );
    const axis = h(
      'div',
      { class: 'jp-nbflow-gantt-axis' },
      ...ticks(span).map(at =>
        h('span', { style: `left: ${percent(at / span)}` }, at === 0 ? '0' : duration(at))
      )
    );
    const table = h(
      'div',
      { class: 'jp-nbflow-gantt-table' },
      h('div', { class: 'jp-nbflow-gantt-labels' }, ...labels),
      h('div', { class: 'jp-nbflow-gantt-chart' }, bars, axis)
    );
    const hidden = rows.length - shown.length;
    const more =
      hidden > 0 &&
      button(this._trans._n('Show %1 more task run', 'Show %1 more task runs', hidden), () => {
        this._limit += PORTION * 5;
        this.update(execution, now);
      });
    this.node.replaceChildren(table, ...(more ? [more] : []));
  }

  private _label(row: Row): HTMLElement {
    return h(
      'div',
      { class: 'jp-nbflow-gantt-label', title: row.label, style: `--depth: ${row.depth}` },
      h('span', { class: 'jp-nbflow-gantt-name' }, row.label),
      h('span', { class: 'jp-nbflow-gantt-time' }, duration(row.duration))
    );
  }

  private _row(row: Row, index: number): SVGGElement {
    const tries =
      row.attempts.length > 1 ? this._trans.__(', %1 attempts', row.attempts.length) : '';
    const words = `${row.label}: ${row.state}, ${duration(row.duration)}${tries}`;
    return s(
      'g',
      { 'data-task-run': row.id },
      rectangle(row.bar, index * ROW + 4, ROW - 8, row.attempts.length ? 'jp-nbflow-faint' : ''),
      ...row.attempts.map(attempt => rectangle(attempt, index * ROW + 7, ROW - 14, '')),
      s('title', {}, words)
    );
  }

  private _limit = PORTION;
}

/** Too short ones stay visible: the style sheet draws an outline of their colour. */
function rectangle(bar: Bar, y: number, height: number, extra: string): SVGRectElement {
  return s('rect', {
    class: `jp-nbflow-bar ${stateClass(bar.state)} ${extra}`.trim(),
    x: percent(bar.from),
    width: percent(Math.max(bar.to - bar.from, 0)),
    y: String(y),
    height: String(height),
    rx: '2'
  });
}

function tickLine(at: number): SVGLineElement {
  return s('line', {
    class: 'jp-nbflow-tick',
    x1: percent(at),
    x2: percent(at),
    y1: '0',
    y2: '100%'
  });
}

function percent(part: number): string {
  return `${(100 * part).toFixed(3)}%`;
}
