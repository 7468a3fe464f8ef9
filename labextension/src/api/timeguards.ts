/** From unknown JSON to what is known of triggers, backfills and the scheduler. */

import { instant, isObject, list, number, text } from './guards';
import type { Backfill, MissedDate, SchedulerStatus, Trigger, TriggerKey } from './types';

function key(value: unknown): TriggerKey | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const [namespace, flowId, triggerId] = ['namespace', 'flowId', 'triggerId'].map(name =>
    text(value[name])
  );
  return namespace !== undefined && flowId !== undefined && triggerId !== undefined
    ? { namespace, flowId, triggerId }
    : undefined;
}

/** A row of `triggers/search`: the state lies beside the trigger's text. */
export function trigger(value: unknown): Trigger | undefined {
  const state = isObject(value) ? (value.state ?? value.triggerContext ?? value) : undefined;
  const names = key(state);
  if (!isObject(state) || names === undefined) {
    return undefined;
  }
  return {
    ...names,
    kind: text(state.kind) ?? 'OTHER',
    disabled: state.disabled === true,
    locked: state.locked === true,
    next: instant(state.nextExecutionDate),
    last: instant(state.lastTriggeredDate),
    executionId: text(state.executionId),
    error: text(state.error) ?? ''
  };
}

export function backfill(value: unknown): Backfill | undefined {
  const names = key(value);
  const id = isObject(value) ? text(value.id) : undefined;
  if (!isObject(value) || names === undefined || id === undefined) {
    return undefined;
  }
  return {
    ...names,
    id,
    state: text(value.state) ?? 'RUNNING',
    total: number(value.total) ?? 0,
    succeeded: number(value.succeeded) ?? 0,
    failed: number(value.failed) ?? 0,
    running: Array.isArray(value.running) ? value.running.length : 0,
    eta: text(value.eta) ?? '',
    start: instant(value.start),
    end: instant(value.end)
  };
}

function missed(value: unknown): MissedDate | undefined {
  const names = key(value);
  const date = isObject(value) ? instant(value.date) : undefined;
  return names !== undefined && date !== undefined ? { ...names, date } : undefined;
}

export function scheduler(value: unknown): SchedulerStatus | undefined {
  if (!isObject(value) || typeof value.running !== 'boolean') {
    return undefined;
  }
  return {
    isRunning: value.running,
    isHere: value.leader === true,
    host: text(value.host) ?? '',
    pid: number(value.pid),
    since: instant(value.since),
    next: instant(value.nextDate),
    triggers: number(value.triggers) ?? 0,
    missed: list(value.missed, missed)
  };
}
