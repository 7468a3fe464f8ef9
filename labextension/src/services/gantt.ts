/** The rows of a Gantt chart: task runs below their parents, as parts of the time the execution took. */

import type { Execution, State, TaskRun } from '../api/types';

export interface Bar {
  /** Parts of the whole, 0 to 1. */
  from: number;
  to: number;
  state: string;
}

export interface Row {
  id: string;
  label: string;
  depth: number;
  state: string;
  /** Milliseconds, up to now while it runs. */
  duration: number;
  bar: Bar;
  /** One a try, when there was more than one. */
  attempts: Bar[];
}

export interface Chart {
  /** Epoch milliseconds, and how long from there. */
  start: number;
  span: number;
  rows: Row[];
}

export function chart(execution: Execution, now: number): Chart {
  const runs = execution.taskRuns;
  const starts = [execution.state.start, ...runs.map(run => run.state.start)];
  const earliest = starts.reduce<number>((least, at) => Math.min(least, at ?? least), Infinity);
  const start = earliest === Infinity ? now : earliest;
  const ends = [execution.state, ...runs.map(run => run.state)].map(state => endOf(state, now));
  const span = Math.max(ends.reduce((most, at) => Math.max(most, at), start) - start, 1);
  const bar = (state: State): Bar => ({
    from: ((state.start ?? start) - start) / span,
    to: (endOf(state, now) - start) / span,
    state: state.current
  });
  const rows = ordered(runs).map(([run, depth]): Row => ({
    id: run.id,
    label: label(run),
    depth,
    state: run.state.current,
    duration: run.state.start === undefined ? 0 : endOf(run.state, now) - run.state.start,
    bar: bar(run.state),
    attempts: run.attempts.length > 1 ? run.attempts.map(bar) : []
  }));
  return { start, span, rows };
}

/** Up to now while it runs; the server's clock may be ahead of the browser's. */
export function endOf(state: State, now: number): number {
  return state.end ?? (state.start === undefined ? -Infinity : Math.max(now, state.start));
}

function label(run: TaskRun): string {
  const mark = run.value ?? (run.iteration === undefined ? undefined : `#${run.iteration}`);
  return mark === undefined ? run.taskId : `${run.taskId} · ${mark}`;
}

/** Children right below their parent, siblings by their beginning; a lost parent makes a root. */
function ordered(runs: readonly TaskRun[]): [TaskRun, number][] {
  const known = new Set(runs.map(run => run.id));
  const children = new Map<string, TaskRun[]>();
  for (const run of runs) {
    const parent = run.parentTaskRunId;
    const key = parent !== undefined && parent !== run.id && known.has(parent) ? parent : '';
    const siblings = children.get(key);
    if (siblings) {
      siblings.push(run);
    } else {
      children.set(key, [run]);
    }
  }
  const found: [TaskRun, number][] = [];
  const pending: [TaskRun, number][] = sorted(children.get('')).map(run => [run, 0]);
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [run, depth] = next;
    found.push(next);
    pending.push(
      ...sorted(children.get(run.id)).map((child): [TaskRun, number] => [child, depth + 1])
    );
  }
  return found;
}

/** Last first: they wait on a stack. */
function sorted(runs: TaskRun[] = []): TaskRun[] {
  const at = (run: TaskRun) => run.state.start ?? Infinity;
  const upwards = runs.map((run, index) => ({ run, index }));
  upwards.sort((a, b) => (at(a.run) === at(b.run) ? a.index - b.index : at(a.run) - at(b.run)));
  return upwards.map(each => each.run).reverse();
}
