/** The shapes of nbflow's REST API, as far as the front end reads them. */

export type JsonValue =
  string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export interface Label {
  key: string;
  value: string;
}

export interface StateChange {
  state: string;
  /** Epoch milliseconds. */
  date: number;
}

export interface State {
  current: string;
  histories: StateChange[];
  /** Epoch milliseconds; missing until known. */
  start?: number;
  end?: number;
}

export interface FlowInput {
  id: string;
  type: string;
  displayName?: string;
  description?: string;
  required: boolean;
  defaults?: JsonValue;
  /** What may be chosen, of SELECT, ENUM and MULTISELECT. */
  values: string[];
  allowCustomValue: boolean;
  min?: number;
  max?: number;
}

export interface Flow {
  namespace: string;
  id: string;
  revision: number;
  description: string;
  disabled: boolean;
  labels: Label[];
  inputs: FlowInput[];
  /** The YAML text; only when asked for. */
  source?: string;
}

export interface TaskRun {
  id: string;
  taskId: string;
  parentTaskRunId?: string;
  value?: string;
  iteration?: number;
  state: State;
  attempts: State[];
  outputs: JsonObject;
}

/** What may be asked of an execution. */
export type Action = 'pause' | 'resume' | 'force-run' | 'restart' | 'replay' | 'kill';

export interface Execution {
  id: string;
  namespace: string;
  flowId: string;
  flowRevision?: number;
  state: State;
  labels: Label[];
  taskRuns: TaskRun[];
  inputs: JsonObject;
  outputs: JsonObject;
  triggerId?: string;
}

/** The names of a trigger. */
export interface TriggerKey {
  namespace: string;
  flowId: string;
  triggerId: string;
}

export interface Trigger extends TriggerKey {
  /** SCHEDULE, POLLING, REALTIME, FLOW, WEBHOOK or OTHER. */
  kind: string;
  disabled: boolean;
  locked: boolean;
  /** Epoch milliseconds. */
  next?: number;
  last?: number;
  executionId?: string;
  error: string;
}

export interface MissedDate extends TriggerKey {
  /** Epoch milliseconds. */
  date: number;
}

export interface SchedulerStatus {
  isRunning: boolean;
  /** Whether it is this Jupyter server. */
  isHere: boolean;
  host: string;
  pid?: number;
  /** Epoch milliseconds. */
  since?: number;
  next?: number;
  triggers: number;
  missed: MissedDate[];
}

export interface Backfill extends TriggerKey {
  id: string;
  state: string;
  total: number;
  succeeded: number;
  failed: number;
  running: number;
  /** ISO 8601 duration; empty while nobody can say. */
  eta: string;
  /** Epoch milliseconds. */
  start?: number;
  end?: number;
}

export type BackfillMove = 'pause' | 'unpause' | 'delete';

export interface LogEntry {
  timestamp: string;
  level: string;
  message: string;
  taskId?: string;
  taskRunId?: string;
  attempt?: number;
}

export interface Page<T> {
  results: T[];
  total: number;
}

export interface Problem {
  message: string;
  hint: string;
  path: string;
  severity: 'error' | 'warning' | 'info';
  /** From 1, in the text that was posted. */
  line: number;
  column: number;
  length: number;
}

/** Types a server can run, by the place where they are written. */
export interface PluginTypes {
  tasks: string[];
  triggers: string[];
}
