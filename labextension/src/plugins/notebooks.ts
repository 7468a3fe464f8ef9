/** Opens executed notebooks, from views and from the outputs of cells, and copies commands that outputs show. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Contents } from '@jupyterlab/services';

import { Commands, notebookArgs } from '../commands';
import { copyName } from '../services/leftovers';
import { IServices } from '../tokens';

/** Where the copies lie, below the folder that the server shows. */
const FOLDER = 'executed-notebooks';

export const notebooks: JupyterFrontEndPlugin<void> = {
  id: 'nbflow:notebooks',
  description: 'Opens the notebooks that executions leave behind.',
  autoStart: true,
  requires: [IServices],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, { client }: IServices, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('nbflow');
    const { contents } = app.serviceManager;

    app.commands.addCommand(Commands.openNotebook, {
      label: trans.__('Open Executed Notebook'),
      isVisible: () => false,
      execute: async args => {
        const wanted = notebookArgs(args);
        if (!wanted) {
          return;
        }
        try {
          const content: unknown = JSON.parse(await client.file(wanted.execution, wanted.uri));
          await makeFolder(contents);
          const path = `${FOLDER}/${copyName(wanted.uri, wanted.execution)}`;
          await contents.save(path, { type: 'notebook', format: 'json', content });
          await app.commands.execute('docmanager:open', { path });
        } catch (error) {
          const words = error instanceof Error ? error.message : String(error);
          await showErrorMessage(trans.__('The notebook cannot be opened'), words);
        }
      }
    });

    document.addEventListener('click', event => {
      const target = event.target instanceof Element ? event.target : null;
      const link = target?.closest<HTMLElement>('.jp-OutputArea [data-nbflow-notebook]');
      if (link) {
        event.preventDefault();
        const { nbflowNotebook: uri, nbflowExecution: execution } = link.dataset;
        void app.commands.execute(Commands.openNotebook, { execution, uri });
      }
      const command = target?.closest<HTMLElement>('.jp-OutputArea [data-nbflow-copy]');
      if (command?.dataset.nbflowCopy) {
        Clipboard.copyToSystem(command.dataset.nbflowCopy);
      }
    });
  }
};

async function makeFolder(contents: Contents.IManager): Promise<void> {
  const root = await contents.get('', { content: true }); // asking for what is not there would be an error
  const entries: Contents.IModel[] = Array.isArray(root.content) ? root.content : [];
  if (!entries.some(entry => entry.name === FOLDER)) {
    await contents.save(FOLDER, { type: 'directory' });
  }
}
