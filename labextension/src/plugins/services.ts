/** Provides the services, set up by the settings. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Client } from '../api/client';
import { number } from '../api/guards';
import { Executions } from '../services/executions';
import { Flows } from '../services/flows';
import { EditorKnowledge } from '../services/knowledge';
import { Schedules } from '../services/schedules';
import { IServices } from '../tokens';

export const services: JupyterFrontEndPlugin<IServices> = {
  id: 'nbflow:plugin',
  description: 'Flows and executions of the nbflow server.',
  autoStart: true,
  provides: IServices,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null): IServices => {
    const client = new Client(app.serviceManager.serverSettings);
    const executions = new Executions(client.executions);
    void registry
      ?.load(services.id)
      .then(settings => {
        const adopt = () => {
          const seconds = (key: string, otherwise: number) =>
            1000 * (number(settings.composite[key]) ?? otherwise);
          executions.pace = { busy: seconds('busyInterval', 2), idle: seconds('idleInterval', 5) };
        };
        settings.changed.connect(adopt);
        adopt();
      })
      .catch(() => undefined); // the defaults will do
    return {
      client,
      executions,
      flows: new Flows(client.flows),
      schedules: new Schedules(client),
      knowledge: new EditorKnowledge(client)
    };
  }
};
