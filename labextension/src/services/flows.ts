/** The flows of the server, newest answer kept. */

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Flow, Page } from '../api/types';

export class Flows implements IDisposable {
  constructor(private readonly _fetch: () => Promise<Page<Flow>>) {}

  get items(): readonly Flow[] {
    return this._items;
  }

  /** Why the last look failed; empty when it did not. */
  get error(): string {
    return this._error;
  }

  /** Whether the server has answered at least once. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async refresh(): Promise<void> {
    const before = JSON.stringify([this._items, this._error, this._isLoaded]);
    try {
      this._items = (await this._fetch()).results;
      this._isLoaded = true;
      this._error = '';
    } catch (error) {
      this._error = error instanceof Error ? error.message : String(error);
    }
    const after = JSON.stringify([this._items, this._error, this._isLoaded]);
    if (!this._isDisposed && before !== after) {
      this._changed.emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _items: Flow[] = [];
  private _error = '';
  private _isLoaded = false;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** Flows by namespace, both in alphabetical order, those kept that match all words of the filter. */
export function groupFlows(flows: readonly Flow[], filter: string): Map<string, Flow[]> {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = flows.filter(flow => {
    const marks = flow.labels.map(label => `${label.key}:${label.value}`);
    const searched = [`${flow.namespace}.${flow.id}`, ...marks].join(' ').toLowerCase();
    return words.every(word => searched.includes(word));
  });
  hits.sort((a, b) => a.namespace.localeCompare(b.namespace) || a.id.localeCompare(b.id));
  const groups = new Map<string, Flow[]>();
  for (const flow of hits) {
    groups.set(flow.namespace, [...(groups.get(flow.namespace) ?? []), flow]);
  }
  return groups;
}
