/**
 * One execution and its logs, followed while watched.
 *
 *   watch ──► follow (event stream) ──end──► final
 *                │ refused or cut off          ▲
 *                └──► look every second ───────┘ terminal
 *
 * A browser opens six connections to a server; event streams hold theirs, so only a few may be open at a time.
 */

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Execution, LogEntry } from '../api/types';
import { isTerminal } from './states';

/** What this needs of the client. */
export interface ExecutionSource {
  execution(id: string): Promise<Execution>;
  logs(id: string): Promise<LogEntry[]>;
  followExecution(id: string, signal: AbortSignal): AsyncIterable<Execution>;
  followLogs(id: string, signal: AbortSignal): AsyncIterable<LogEntry>;
}

const MAX_STREAMS = 4;
let openStreams = 0;

export class LiveExecution implements IDisposable {
  constructor(
    readonly id: string,
    private readonly _source: ExecutionSource,
    private readonly _interval = 1000
  ) {}

  get execution(): Execution | undefined {
    return this._execution;
  }

  get logs(): readonly LogEntry[] {
    return this._logs;
  }

  get error(): string {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** At most once a frame, however fast the events come. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Starts over: for a restarted execution, or after an action. */
  watch(): void {
    this.unwatch();
    const abort = new AbortController();
    this._abort = abort;
    void this._watch(abort.signal);
  }

  unwatch(): void {
    this._abort?.abort();
    this._abort = undefined;
  }

  get isWatched(): boolean {
    return this._abort !== undefined;
  }

  dispose(): void {
    this.unwatch();
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private async _watch(signal: AbortSignal): Promise<void> {
    await this._look(signal);
    if (this._execution === undefined || this._isOver || signal.aborted) {
      return;
    }
    const hasStreams = openStreams + 2 <= MAX_STREAMS;
    openStreams += hasStreams ? 2 : 0;
    try {
      await Promise.all([
        this._keepUp(signal, hasStreams, () => this._followExecution(signal), this._lookAtState),
        this._keepUp(signal, hasStreams, () => this._followLogs(signal), this._lookAtLogs)
      ]);
    } finally {
      openStreams -= hasStreams ? 2 : 0;
    }
    await this._look(signal); // what the streams may have missed
  }

  /** The stream first; when it is refused or cut off, a look now and then until the end. */
  private async _keepUp(
    signal: AbortSignal,
    hasStream: boolean,
    follow: () => Promise<void>,
    look: () => Promise<void>
  ): Promise<void> {
    if (hasStream) {
      await follow().catch(() => undefined);
    }
    while (!signal.aborted && !this._isOver) {
      await pause(this._interval, signal);
      await this._guarded(signal, look);
    }
  }

  private async _followExecution(signal: AbortSignal): Promise<void> {
    for await (const execution of this._source.followExecution(this.id, signal)) {
      if (signal.aborted) {
        return;
      }
      this._execution = execution;
      this._tell();
    }
  }

  private async _followLogs(signal: AbortSignal): Promise<void> {
    const seen: LogEntry[] = []; // the stream begins with all stored entries
    for await (const entry of this._source.followLogs(this.id, signal)) {
      if (signal.aborted) {
        return;
      }
      seen.push(entry);
      if (seen.length >= this._logs.length) {
        this._logs = seen;
        this._tell();
      }
    }
  }

  private _lookAtState = async (): Promise<void> => {
    this._execution = await this._source.execution(this.id);
  };

  private _lookAtLogs = async (): Promise<void> => {
    this._logs = await this._source.logs(this.id);
  };

  private _look(signal: AbortSignal): Promise<void> {
    return this._guarded(signal, async () => {
      await this._lookAtState(); // when there is no such execution, nobody asks for its logs
      await this._lookAtLogs();
    });
  }

  private async _guarded(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
    if (signal.aborted) {
      return;
    }
    try {
      await look();
      this._error = '';
    } catch (error) {
      this._error = error instanceof Error ? error.message : String(error);
    }
    this._tell();
  }

  private get _isOver(): boolean {
    return this._execution !== undefined && isTerminal(this._execution.state.current);
  }

  private _tell(): void {
    if (this._isTelling || this._isDisposed) {
      return;
    }
    this._isTelling = true;
    setTimeout(() => {
      this._isTelling = false;
      if (!this._isDisposed) {
        this._changed.emit();
      }
    }, 50);
  }

  private _execution: Execution | undefined;
  private _logs: readonly LogEntry[] = [];
  private _error = '';
  private _abort: AbortController | undefined;
  private _isTelling = false;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
