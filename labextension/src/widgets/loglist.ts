/** The log of an execution: the latest lines, older ones on demand. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { LogEntry } from '../api/types';
import { button, h } from './dom';

export const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];
const PORTION = 500;

export class LogList {
  readonly node: HTMLElement;

  constructor(private readonly _trans: TranslationBundle) {
    const level = h(
      'select',
      {
        class: 'jp-nbflow-select',
        'aria-label': _trans.__('Least level'),
        onchange: () => this._filter(level.value, search.value)
      },
      ...LEVELS.map(name => h('option', { value: name, selected: name === 'TRACE' }, name))
    );
    const search = h('input', {
      class: 'jp-nbflow-input',
      type: 'search',
      placeholder: _trans.__('Search the log'),
      'aria-label': _trans.__('Search the log'),
      oninput: () => this._filter(level.value, search.value)
    });
    const bar = h('div', { class: 'jp-nbflow-log-bar' }, level, search);
    this.node = h('div', { class: 'jp-nbflow-log' }, bar, this._more, this._lines);
  }

  /** Entries only ever get appended; a shorter or another beginning draws all anew. */
  update(entries: readonly LogEntry[]): void {
    if (entries === this._entries && entries.length === this._drawn) {
      return;
    }
    const isLonger =
      entries.length >= this._drawn &&
      this._drawn > 0 &&
      entries[0]?.timestamp === this._entries[0]?.timestamp &&
      entries[this._drawn - 1]?.message === this._last;
    this._entries = entries;
    if (!isLonger) {
      this._drawAll();
      return;
    }
    this._append(entries.slice(this._drawn));
    this._note();
  }

  private _filter(level: string, search: string): void {
    this._level = level;
    this._search = search.toLowerCase();
    this._limit = PORTION;
    this._drawAll();
  }

  private _drawAll(): void {
    this._lines.replaceChildren();
    this._count = 0;
    this._append(this._entries);
    this._note();
  }

  private _append(entries: readonly LogEntry[]): void {
    const box = this._lines;
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
    const hits = entries.filter(entry => this._isHit(entry));
    this._count += hits.length;
    box.append(...hits.slice(-this._limit).map(logLine));
    while (box.childElementCount > this._limit) {
      box.firstElementChild?.remove();
    }
    if (isAtEnd) {
      box.scrollTop = box.scrollHeight;
    }
    this._drawn = this._entries.length;
    this._last = this._entries.at(-1)?.message;
  }

  private _note(): void {
    const hidden = this._count - this._lines.childElementCount;
    const more = button(
      this._trans._n('Show %1 earlier line', 'Show %1 earlier lines', hidden),
      () => {
        this._limit += PORTION * 4;
        this._drawAll();
      }
    );
    this._more.replaceChildren(...(hidden > 0 ? [more] : []));
    this.node.classList.toggle('jp-mod-empty', this._count === 0);
    if (this._count === 0) {
      const words = this._entries.length
        ? this._trans.__('No line matches.')
        : this._trans.__('Nothing logged yet.');
      this._more.replaceChildren(h('p', { class: 'jp-nbflow-empty' }, words));
    }
  }

  private _isHit(entry: LogEntry): boolean {
    const least = LEVELS.indexOf(this._level);
    const searched = `${entry.taskId ?? ''} ${entry.message}`.toLowerCase();
    return LEVELS.indexOf(entry.level) >= least && searched.includes(this._search);
  }

  private _lines = h('div', { class: 'jp-nbflow-log-lines', tabindex: '0', role: 'log' });
  private _more = h('div');
  private _entries: readonly LogEntry[] = [];
  private _drawn = 0;
  private _last: string | undefined;
  private _count = 0;
  private _limit = PORTION;
  private _level = 'TRACE';
  private _search = '';
}

function logLine(entry: LogEntry): HTMLElement {
  const level = LEVELS.includes(entry.level) ? entry.level : 'INFO';
  const date = new Date(entry.timestamp);
  const time = Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString([], { hour12: false });
  const millis = time && `.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return h(
    'div',
    { class: `jp-nbflow-log-line jp-nbflow-level-${level.toLowerCase()}` },
    h('span', { class: 'jp-nbflow-log-time', title: entry.timestamp }, time + millis),
    h('span', { class: 'jp-nbflow-log-level' }, level),
    h('span', { class: 'jp-nbflow-log-task' }, entry.taskId ?? ''),
    h('span', { class: 'jp-nbflow-log-message' }, entry.message)
  );
}
