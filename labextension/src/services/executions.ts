/** The latest executions of the server, polled while somebody looks. */

import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Execution, Page } from '../api/types';
import { isTerminal } from './states';

export interface Pace {
  /** Milliseconds between two looks while something runs. */
  busy: number;
  /** … and while nothing does. */
  idle: number;
}

export class Executions implements IDisposable {
  constructor(
    private readonly _fetch: (size: number) => Promise<Page<Execution>>,
    private readonly _size = 25
  ) {
    this._poll = new Poll({
      auto: false,
      name: 'nbflow:executions',
      factory: () => this._look(),
      frequency: { interval: this._pace.busy, backoff: 2, max: 30_000 },
      standby: () => (this._isWatched ? 'when-hidden' : true)
    });
  }

  get items(): readonly Execution[] {
    return this._items;
  }

  get total(): number {
    return this._total;
  }

  get error(): string {
    return this._error;
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  set pace(pace: Pace) {
    this._pace = pace;
    this._adapt();
  }

  /** Polls only while watched; looks at once when watching begins. */
  set isWatched(value: boolean) {
    const begins = value && !this._isWatched;
    this._isWatched = value;
    if (begins) {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    if (!this.isDisposed) {
      await this._poll.refresh();
      await this._poll.tick.catch(() => undefined);
    }
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _look(): Promise<void> {
    try {
      const page = await this._fetch(this._size);
      this._accept(page);
    } catch (error) {
      this._error = error instanceof Error ? error.message : String(error);
      this._emit();
      throw error; // lets the poll back off
    }
  }

  private _accept(page: Page<Execution>): void {
    const before = JSON.stringify([this._items, this._total, this._error, this._isLoaded]);
    this._items = page.results;
    this._total = page.total;
    this._error = '';
    this._isLoaded = true;
    this._adapt();
    if (before !== JSON.stringify([this._items, this._total, this._error, this._isLoaded])) {
      this._emit();
    }
  }

  private _adapt(): void {
    const isBusy = this._items.some(item => !isTerminal(item.state.current));
    const interval = isBusy ? this._pace.busy : this._pace.idle;
    if (!this.isDisposed && this._poll.frequency.interval !== interval) {
      this._poll.frequency = { ...this._poll.frequency, interval };
    }
  }

  private _emit(): void {
    if (!this.isDisposed) {
      this._changed.emit();
    }
  }

  private _poll: Poll;
  private _pace: Pace = { busy: 2000, idle: 5000 };
  private _items: Execution[] = [];
  private _total = 0;
  private _error = '';
  private _isLoaded = false;
  private _isWatched = false;
  private _changed = new Signal<this, void>(this);
}
