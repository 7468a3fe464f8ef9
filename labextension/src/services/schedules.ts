/** The scheduler, the triggers and the backfills of the server, polled while somebody looks. */

import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Backfill, BackfillMove, SchedulerStatus, Trigger, TriggerKey } from '../api/types';

/** What this needs of the client. */
export interface ScheduleSource {
  scheduler(): Promise<SchedulerStatus>;
  triggers(): Promise<Trigger[]>;
  backfills(): Promise<Backfill[]>;
  switchTrigger(key: TriggerKey, disabled: boolean): Promise<void>;
  moveBackfill(key: TriggerKey, move: BackfillMove): Promise<void>;
}

const BUSY = 1500; // milliseconds between two looks while a backfill runs
const IDLE = 5000;
const OVER = 3; // backfills that are shown although they are over

export class Schedules implements IDisposable {
  constructor(private readonly _source: ScheduleSource) {
    this._poll = new Poll({
      auto: false,
      name: 'nbflow:schedules',
      factory: () => this._look(),
      frequency: { interval: IDLE, backoff: 2, max: 30_000 },
      standby: () => (this._isWatched ? 'when-hidden' : true)
    });
  }

  get status(): SchedulerStatus | undefined {
    return this._state.status;
  }

  get triggers(): readonly Trigger[] {
    return this._state.triggers;
  }

  get backfills(): readonly Backfill[] {
    return this._state.backfills;
  }

  get error(): string {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
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

  async switch(trigger: Trigger): Promise<void> {
    await this._do(() => this._source.switchTrigger(trigger, !trigger.disabled));
  }

  async move(backfill: Backfill, move: BackfillMove): Promise<void> {
    await this._do(() => this._source.moveBackfill(backfill, move));
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _do(deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      this._refusal = words(error);
    }
    await this.refresh();
    this._refusal = '';
  }

  private async _look(): Promise<void> {
    const before = JSON.stringify([this._state, this._error]);
    let failure: unknown;
    try {
      const [status, triggers, backfills] = await Promise.all([
        this._source.scheduler(),
        this._source.triggers(),
        this._source.backfills()
      ]);
      this._state = { status, triggers, backfills: worthShowing(backfills) };
      this._error = this._refusal;
      const isBusy = backfills.some(each => each.state === 'RUNNING');
      const interval = isBusy ? BUSY : IDLE;
      if (!this.isDisposed && this._poll.frequency.interval !== interval) {
        this._poll.frequency = { ...this._poll.frequency, interval };
      }
    } catch (error) {
      failure = error;
      this._error = words(error);
    }
    if (!this.isDisposed && before !== JSON.stringify([this._state, this._error])) {
      this._changed.emit();
    }
    if (failure !== undefined) {
      throw failure; // lets the poll back off
    }
  }

  private _poll: Poll;
  private _state: State = { triggers: [], backfills: [] };
  private _error = '';
  private _refusal = '';
  private _isWatched = false;
  private _changed = new Signal<this, void>(this);
}

interface State {
  status?: SchedulerStatus;
  triggers: Trigger[];
  backfills: Backfill[];
}

export function isOver(backfill: Backfill): boolean {
  return backfill.state === 'DONE' || backfill.state === 'CANCELLED';
}

/** Those that go on, and the few that ended last; the server sends the newest first. */
export function worthShowing(backfills: readonly Backfill[]): Backfill[] {
  const over = backfills.filter(isOver).slice(0, OVER);
  return backfills.filter(each => !isOver(each) || over.includes(each));
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
