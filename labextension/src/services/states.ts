/** What the state names mean to a viewer: over or not, and which colour class. */

import type { Action } from '../api/types';

const TERMINAL = ['SUCCESS', 'WARNING', 'FAILED', 'KILLED', 'CANCELLED', 'RETRIED', 'SKIPPED'];

const RESTARTED_FROM = ['FAILED', 'KILLED', 'CANCELLED', 'WARNING'];

const KNOWN = [
  ...TERMINAL,
  'CREATED',
  'SUBMITTED',
  'QUEUED',
  'RUNNING',
  'PAUSED',
  'BREAKPOINT',
  'RESTARTED',
  'RESUBMITTED',
  'RETRYING',
  'KILLING'
];

export function isTerminal(state: string): boolean {
  return TERMINAL.includes(state);
}

/** What may be asked of an execution in a state, the likeliest first. */
export function actionsFor(state: string): Action[] {
  if (isTerminal(state)) {
    return RESTARTED_FROM.includes(state) ? ['restart', 'replay'] : ['replay'];
  }
  const first: Partial<Record<string, Action>> = {
    RUNNING: 'pause',
    PAUSED: 'resume',
    QUEUED: 'force-run'
  };
  const action = first[state];
  return state === 'KILLING' ? [] : action === undefined ? ['kill'] : [action, 'kill'];
}

/** Never built from text of unknown origin: an unknown state looks like CREATED. */
export function stateClass(state: string): string {
  return `jp-nbflow-state-${KNOWN.includes(state) ? state.toLowerCase() : 'created'}`;
}
