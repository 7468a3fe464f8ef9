/** Ids of the commands, and how their arguments are read. */

import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { text } from './api/guards';

export const Commands = {
  openPanel: 'nbflow:open-panel',
  openExecution: 'nbflow:open-execution',
  openFlow: 'nbflow:open-flow',
  runFlow: 'nbflow:run-flow',
  openNotebook: 'nbflow:open-executed-notebook',
  refresh: 'nbflow:refresh'
} as const;

export const PANEL_ID = 'nbflow-panel';

/** `{id}` */
export function executionArgs(args: ReadonlyPartialJSONObject): string | undefined {
  return text(args.id) || undefined;
}

/** `{execution, uri}` */
export function notebookArgs(
  args: ReadonlyPartialJSONObject
): { execution: string; uri: string } | undefined {
  const [execution, uri] = [text(args.execution), text(args.uri)];
  return execution && uri ? { execution, uri } : undefined;
}

/** `{namespace, id}` */
export function flowArgs(
  args: ReadonlyPartialJSONObject
): { namespace: string; id: string } | undefined {
  const [namespace, id] = [text(args.namespace), text(args.id)];
  return namespace && id ? { namespace, id } : undefined;
}
