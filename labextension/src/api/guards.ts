/** From unknown JSON to the shapes of `types.ts`; what does not fit is left out, never thrown. */

import type {
  Execution,
  Flow,
  FlowInput,
  JsonObject,
  JsonValue,
  Label,
  LogEntry,
  Page,
  PluginTypes,
  Problem,
  State,
  TaskRun
} from './types';

type Loose = { [key: string]: unknown };

export function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function list<T>(value: unknown, each: (item: unknown) => T | undefined): T[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.flatMap(item => {
    const kept = each(item);
    return kept === undefined ? [] : [kept];
  });
}

function json(value: unknown): JsonValue | undefined {
  return value === undefined ? undefined : (value as JsonValue);
}

function jsonObject(value: unknown): JsonObject {
  return isObject(value) ? (value as JsonObject) : {};
}

export function instant(value: unknown): number | undefined {
  const parsed = typeof value === 'string' ? Date.parse(value) : number(value);
  return parsed === undefined || Number.isNaN(parsed) ? undefined : parsed;
}

/** Labels come as a list of pairs; older servers send a map. */
export function labels(value: unknown): Label[] {
  if (isObject(value)) {
    return Object.entries(value).map(([key, item]) => ({ key, value: text(item) ?? '' }));
  }
  return list(value, item =>
    isObject(item) && text(item.key) !== undefined
      ? { key: text(item.key) ?? '', value: text(item.value) ?? '' }
      : undefined
  );
}

export function state(value: unknown): State {
  if (!isObject(value)) {
    return { current: text(value) ?? 'CREATED', histories: [] };
  }
  const histories = list(value.histories, item => {
    const date = isObject(item) ? instant(item.date) : undefined;
    return isObject(item) && date !== undefined
      ? { state: text(item.state) ?? '', date }
      : undefined;
  });
  return {
    current: text(value.current) ?? histories.at(-1)?.state ?? 'CREATED',
    histories,
    start: instant(value.startDate) ?? histories[0]?.date,
    end: instant(value.endDate)
  };
}

export function flowInput(value: unknown): FlowInput | undefined {
  const id = isObject(value) ? (text(value.id) ?? text(value.name)) : undefined;
  if (!isObject(value) || id === undefined) {
    return undefined;
  }
  const choices = value.values ?? value.options;
  return {
    id,
    type: (text(value.type) ?? 'STRING').toUpperCase(),
    displayName: text(value.displayName),
    description: text(value.description),
    required: value.required !== false,
    defaults: json(value.defaults ?? value.prefill),
    values: list(choices, text),
    allowCustomValue: value.allowCustomValue === true,
    min: number(value.min),
    max: number(value.max)
  };
}

export function flow(value: unknown): Flow | undefined {
  const id = isObject(value) ? text(value.id) : undefined;
  const namespace = isObject(value) ? text(value.namespace) : undefined;
  if (!isObject(value) || id === undefined || namespace === undefined) {
    return undefined;
  }
  return {
    id,
    namespace,
    revision: number(value.revision) ?? 1,
    description: text(value.description) ?? '',
    disabled: value.disabled === true,
    labels: labels(value.labels),
    inputs: list(value.inputs, flowInput),
    source: text(value.source)
  };
}

function taskRun(value: unknown): TaskRun | undefined {
  const id = isObject(value) ? text(value.id) : undefined;
  if (!isObject(value) || id === undefined) {
    return undefined;
  }
  return {
    id,
    taskId: text(value.taskId) ?? id,
    parentTaskRunId: text(value.parentTaskRunId),
    value: text(value.value),
    iteration: number(value.iteration),
    state: state(value.state),
    attempts: list(value.attempts, item => (isObject(item) ? state(item.state) : undefined)),
    outputs: jsonObject(value.outputs)
  };
}

export function execution(value: unknown): Execution | undefined {
  const id = isObject(value) ? text(value.id) : undefined;
  if (!isObject(value) || id === undefined) {
    return undefined;
  }
  return {
    id,
    namespace: text(value.namespace) ?? '',
    flowId: text(value.flowId) ?? '',
    flowRevision: number(value.flowRevision),
    state: state(value.state),
    labels: labels(value.labels),
    taskRuns: list(value.taskRunList, taskRun),
    inputs: jsonObject(value.inputs),
    outputs: jsonObject(value.outputs),
    triggerId: isObject(value.trigger) ? text(value.trigger.id) : undefined
  };
}

export function logEntry(value: unknown): LogEntry | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  return {
    timestamp: text(value.timestamp) ?? '',
    level: text(value.level) ?? 'INFO',
    message: text(value.message) ?? '',
    taskId: text(value.taskId),
    taskRunId: text(value.taskRunId),
    attempt: number(value.attemptNumber)
  };
}

export function page<T>(value: unknown, each: (item: unknown) => T | undefined): Page<T> {
  const results = list(isObject(value) ? value.results : value, each);
  return { results, total: (isObject(value) ? number(value.total) : undefined) ?? results.length };
}

function problem(value: unknown): Problem | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  return {
    message: text(value.message) ?? 'not valid',
    hint: text(value.hint) ?? '',
    path: text(value.path) ?? '',
    severity: value.severity === 'warning' || value.severity === 'info' ? value.severity : 'error',
    line: number(value.line) ?? 1,
    column: number(value.column) ?? 1,
    length: number(value.length) ?? 0
  };
}

/** Answer of `flows/validate`: the problems, or Kestra's plain `constraints` when there are none. */
export function problems(value: unknown): Problem[] {
  return list(value, item => (isObject(item) ? item : undefined)).flatMap(item => {
    const found = list(item.problems, problem);
    const constraints = text(item.constraints);
    return found.length || !constraints ? found : list([{ message: constraints }], problem);
  });
}

/** Answer of `plugins`: a page or a list of plugins with their classes. */
export function pluginTypes(value: unknown): PluginTypes {
  const plugins = page(value, item => (isObject(item) ? item : undefined)).results;
  const classes = (key: string) =>
    plugins.flatMap(plugin =>
      list(plugin[key], item => (isObject(item) ? text(item.cls) : text(item)))
    );
  return { tasks: classes('tasks'), triggers: classes('triggers') };
}
