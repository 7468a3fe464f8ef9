/** The panel in the left area, and the commands that open and refresh it. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Commands, PANEL_ID } from '../commands';
import { IServices } from '../tokens';
import type { Actions } from '../widgets/actions';
import { nbflowIcon } from '../widgets/icon';
import { Panel } from '../widgets/panel';

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'nbflow:panel',
  description: 'Flows and latest executions in the left area.',
  autoStart: true,
  requires: [IServices],
  optional: [ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { flows, executions, schedules, knowledge }: IServices,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbflow');
    const { commands, shell } = app;

    commands.addCommand(Commands.openPanel, {
      label: trans.__('Show Flows and Executions'),
      icon: nbflowIcon,
      execute: () => shell.activateById(PANEL_ID)
    });
    commands.addCommand(Commands.refresh, {
      label: trans.__('Refresh Flows and Executions'),
      execute: async () => {
        knowledge.forget();
        await Promise.all([flows.refresh(), executions.refresh(), schedules.refresh()]);
      }
    });
    for (const command of [Commands.openPanel, Commands.refresh]) {
      palette?.addItem({ command, category: 'nbflow' });
    }

    const widget = new Panel({ flows, executions, schedules }, actions(app), trans);
    widget.id = PANEL_ID;
    widget.title.icon = nbflowIcon;
    widget.title.caption = trans.__('Flows and executions (nbflow)');
    shell.add(widget, 'left', { rank: 600 });
    restorer?.add(widget, PANEL_ID);
  }
};

/** Views ask for commands, so that other extensions may take part. */
export function actions({ commands }: JupyterFrontEnd): Actions {
  const run = (command: string, args = {}) => void commands.execute(command, args);
  return {
    openFlow: (namespace, id) => run(Commands.openFlow, { namespace, id }),
    openExecution: id => run(Commands.openExecution, { id }),
    openNotebook: (execution, uri) => run(Commands.openNotebook, { execution, uri }),
    copy: text => Clipboard.copyToSystem(text),
    runFlow: (namespace, id) => run(Commands.runFlow, { namespace, id }),
    refresh: () => run(Commands.refresh)
  };
}
