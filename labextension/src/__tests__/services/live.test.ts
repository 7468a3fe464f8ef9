import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import * as guards from '../../api/guards';
import type { Execution, LogEntry } from '../../api/types';
import { type ExecutionSource, LiveExecution } from '../../services/live';

const at = (current: string) =>
  guards.execution({ id: 'x', state: { current, histories: [] } }) as Execution;
const entry = (message: string) => guards.logEntry({ message }) as LogEntry;

/** Answers one state after another; the last one stays. */
class FakeSource implements ExecutionSource {
  looks = 0;
  logLooks = 0;
  streamed: Execution[] = [];

  constructor(
    private readonly _states: string[],
    private readonly _canStream = true
  ) {}

  async execution(): Promise<Execution> {
    const state = this._states[Math.min(this.looks, this._states.length - 1)] ?? '';
    this.looks += 1;
    if (state === 'GONE') {
      throw new Error('no such execution');
    }
    return at(state);
  }

  async logs(): Promise<LogEntry[]> {
    this.logLooks += 1;
    return [entry('one'), entry('two')].slice(0, this.logLooks);
  }

  async *followExecution(): AsyncGenerator<Execution> {
    if (!this._canStream) {
      throw new Error('refused');
    }
    yield* this.streamed;
  }

  async *followLogs(): AsyncGenerator<LogEntry> {
    if (!this._canStream) {
      throw new Error('refused');
    }
    yield entry('one');
    yield entry('two');
  }
}

describe('an execution being watched', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is looked at once when it is over', async () => {
    const source = new FakeSource(['SUCCESS']);
    const live = new LiveExecution('x', source);
    live.watch();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.looks).toBe(1);
    expect(live.execution?.state.current).toBe('SUCCESS');
  });

  it('follows the stream to its end', async () => {
    const source = new FakeSource(['RUNNING', 'SUCCESS']);
    source.streamed = [at('RUNNING'), at('SUCCESS')];
    const live = new LiveExecution('x', source);
    const seen = vi.fn();
    live.changed.connect(seen);
    live.watch();
    await vi.advanceTimersByTimeAsync(5000);
    expect(live.execution?.state.current).toBe('SUCCESS');
    expect(live.logs.map(each => each.message)).toEqual(['one', 'two']);
    expect(source.looks).toBe(2); // before and after the stream, none in between
    expect(seen).toHaveBeenCalled();
  });

  it('looks every second when there is no stream', async () => {
    const source = new FakeSource(['RUNNING', 'RUNNING', 'RUNNING', 'FAILED'], false);
    const live = new LiveExecution('x', source);
    live.watch();
    await vi.advanceTimersByTimeAsync(1500);
    expect(live.execution?.state.current).toBe('RUNNING');
    await vi.advanceTimersByTimeAsync(5000);
    expect(live.execution?.state.current).toBe('FAILED');
    const { looks } = source;
    await vi.advanceTimersByTimeAsync(5000);
    expect(source.looks).toBe(looks);
  });

  it('rests while nobody watches', async () => {
    const source = new FakeSource(['RUNNING'], false);
    const live = new LiveExecution('x', source);
    live.watch();
    await vi.advanceTimersByTimeAsync(1500);
    live.unwatch();
    const { looks } = source;
    await vi.advanceTimersByTimeAsync(5000);
    expect(source.looks).toBe(looks);
    live.watch();
    await vi.advanceTimersByTimeAsync(10);
    expect(source.looks).toBe(looks + 1);
    live.dispose();
  });

  it('says what went wrong, and asks for no logs of what is not there', async () => {
    const source = new FakeSource(['GONE']);
    const live = new LiveExecution('x', source);
    live.watch();
    await vi.advanceTimersByTimeAsync(3000);
    expect(live.error).toBe('no such execution');
    expect([source.looks, source.logLooks]).toEqual([1, 0]);
  });

  it('shares few connections: the third one polls', async () => {
    const sources = [1, 2, 3].map(() => {
      const source = new FakeSource(['RUNNING']);
      source.followExecution = async function* (): AsyncGenerator<Execution> {
        await new Promise(resolve => setTimeout(resolve, 60_000));
        yield at('RUNNING');
      };
      return source;
    });
    const lives = sources.map(source => new LiveExecution('x', source));
    lives.forEach(live => live.watch());
    await vi.advanceTimersByTimeAsync(5000);
    expect(sources.map(source => source.looks > 1)).toEqual([false, false, true]);
    lives.forEach(live => live.dispose());
    await vi.advanceTimersByTimeAsync(120_000);
  });
});
