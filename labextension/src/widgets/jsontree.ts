/** JSON values as a tree that folds. */

import type { JsonObject, JsonValue } from '../api/types';
import { button, h } from './dom';

const PORTION = 100;

/** The tree of a map that changes now and then: rows that stay the same stay as they were unfolded. */
export class JsonTree {
  readonly node = h('div', { class: 'jp-nbflow-json' });

  constructor(private readonly _empty: string) {}

  update(value: JsonObject): void {
    const entries = Object.entries(value);
    const before = this._rows;
    this._rows = new Map();
    for (const [key, item] of entries.slice(0, this._limit)) {
      const text = JSON.stringify(item);
      const old = before.get(key);
      this._rows.set(key, old?.text === text ? old : { text, node: row(key, item, 0) });
    }
    const nodes: HTMLElement[] = [...this._rows.values()].map(each => each.node);
    const hidden = entries.length - nodes.length;
    if (entries.length === 0) {
      nodes.push(h('p', { class: 'jp-nbflow-empty' }, this._empty));
    } else if (hidden > 0) {
      nodes.push(
        button(`… ${hidden}`, () => {
          this._limit += PORTION;
          this.update(value);
        })
      );
    }
    const shown = [...this.node.children];
    if (shown.length !== nodes.length || nodes.some((node, index) => node !== shown[index])) {
      this.node.replaceChildren(...nodes);
    }
  }

  private _rows = new Map<string, { text: string; node: HTMLElement }>();
  private _limit = PORTION;
}

function body(entries: [string, JsonValue][]): HTMLElement {
  const box = h('div', { class: 'jp-nbflow-json-body' });
  addPortion(box, entries);
  return box;
}

function addPortion(box: HTMLElement, entries: [string, JsonValue][]): void {
  box.append(...entries.slice(0, PORTION).map(([key, item]) => row(key, item, 1)));
  const rest = entries.slice(PORTION);
  if (rest.length) {
    const more = button(`… ${rest.length}`, () => {
      more.remove();
      addPortion(box, rest);
    });
    box.append(more);
  }
}

/** The first level is open. What is folded gets built when it is opened: outputs may be large. */
function row(key: string, item: JsonValue, depth: number): HTMLElement {
  const name = h('span', { class: 'jp-nbflow-json-key' }, key);
  const entries = entriesOf(item);
  if (!entries?.length) {
    return h('div', { class: 'jp-nbflow-json-row' }, name, leaf(item));
  }
  const size = Array.isArray(item) ? `[${entries.length}]` : `{${entries.length}}`;
  const mark = h('span', { class: 'jp-nbflow-json-size' }, size);
  const branch = h(
    'details',
    { class: 'jp-nbflow-json-branch', open: depth === 0 },
    h('summary', {}, name, mark)
  );
  if (depth === 0) {
    branch.append(body(entries));
  } else {
    branch.addEventListener('toggle', () => branch.append(body(entries)), { once: true });
  }
  return branch;
}

function entriesOf(value: JsonValue): [string, JsonValue][] | undefined {
  if (value === null || typeof value !== 'object') {
    return undefined;
  }
  return Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
}

function leaf(value: JsonValue): HTMLElement {
  if (value !== null && typeof value === 'object') {
    const empty = Array.isArray(value) ? '[ ]' : '{ }';
    return h('span', { class: 'jp-nbflow-json-size' }, empty);
  }
  const kind = value === null ? 'null' : typeof value;
  return h('span', { class: `jp-nbflow-json-leaf jp-nbflow-json-${kind}` }, String(value));
}
