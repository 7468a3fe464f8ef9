/** What the state names mean to a viewer: over or not, and which colour class. */

const TERMINAL = ['SUCCESS', 'WARNING', 'FAILED', 'KILLED', 'CANCELLED', 'RETRIED', 'SKIPPED'];

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

/** Never built from text of unknown origin: an unknown state looks like CREATED. */
export function stateClass(state: string): string {
  return `jp-nbflow-state-${KNOWN.includes(state) ? state.toLowerCase() : 'created'}`;
}
