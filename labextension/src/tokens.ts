/** What the plugins of this extension hand each other. */

import { Token } from '@lumino/coreutils';

import type { Client } from './api/client';
import type { Executions } from './services/executions';
import type { Flows } from './services/flows';
import type { EditorKnowledge } from './services/knowledge';
import type { Schedules } from './services/schedules';

export interface IServices {
  client: Client;
  flows: Flows;
  executions: Executions;
  schedules: Schedules;
  knowledge: EditorKnowledge;
}

export const IServices = new Token<IServices>(
  'nbflow:IServices',
  'The nbflow server as this browser sees it: client, flows, executions, knowledge for the editor.'
);
