/** What notebook tasks leave behind: executed notebooks, and kernels that were kept. */

import type { Execution, JsonValue } from '../api/types';

export interface ExecutedNotebook {
  task: string;
  uri: string;
  /** The last part of the URI. */
  name: string;
}

export interface KeptKernel {
  task: string;
  id: string;
  /** What opens it in a notebook. */
  command: string;
}

const NOTEBOOK = /^(?:kestra|nbflow):\/\/\/\S+\.ipynb$/;
const KERNEL = /^k[0-9a-f]{6,32}$/;
const DEEPEST = 5;
const MOST = 20;

export function notebooksOf(execution: Execution): ExecutedNotebook[] {
  const found = execution.taskRuns.flatMap(run =>
    uris(run.outputs).map(uri => ({
      task: run.value === undefined ? run.taskId : `${run.taskId} · ${run.value}`,
      uri,
      name: nameOf(uri)
    }))
  );
  return found.slice(0, MOST);
}

export function kernelsOf(execution: Execution): KeptKernel[] {
  return execution.taskRuns.flatMap(({ taskId, outputs, state }) => {
    const id = outputs.kernel;
    return typeof id === 'string' && KERNEL.test(id) && state.current === 'FAILED'
      ? [{ task: taskId, id, command: `%flow attach ${id}` }]
      : [];
  });
}

/** A file name for a copy that is opened: notebooks of several executions lie side by side. */
export function copyName(uri: string, executionId: string): string {
  const stem = nameOf(uri).replace(/\.ipynb$/, '');
  return `${stem}.${executionId.slice(-8)}.ipynb`;
}

function nameOf(uri: string): string {
  return (uri.split('/').at(-1) ?? uri).replace(/[^\w.\- ]/g, '_');
}

function uris(value: JsonValue, depth = 0): string[] {
  if (typeof value === 'string') {
    return NOTEBOOK.test(value) ? [value] : [];
  }
  if (value === null || typeof value !== 'object' || depth >= DEEPEST) {
    return [];
  }
  return Object.values(value)
    .slice(0, 100)
    .flatMap(item => uris(item, depth + 1));
}
