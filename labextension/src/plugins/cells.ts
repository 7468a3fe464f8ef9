/** `%%flow` cells: YAML colours, marks under mistakes, hover texts, completion. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';

import { FlowCompletions } from '../editor/completions';
import { flowCell } from '../editor/flowcell';
import { IServices } from '../tokens';

export const cells: JupyterFrontEndPlugin<void> = {
  id: 'nbflow:cells',
  description: 'Flows in cells: YAML highlighting, validation and hover texts.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, IServices],
  activate: (
    _app: JupyterFrontEnd,
    registry: IEditorExtensionRegistry,
    { client, knowledge }: IServices
  ) => {
    const services = {
      validate: (source: string) => client.validate(source),
      knowledge: () => knowledge.get()
    };
    registry.addExtension({
      name: 'nbflow:flow-cell',
      // Cells are inline editors; files are not.
      factory: options =>
        options.inline ? EditorExtensionRegistry.createImmutableExtension(flowCell(services)) : null
    });
  }
};

export const completion: JupyterFrontEndPlugin<void> = {
  id: 'nbflow:completion',
  description: 'Keys, types and names in flows.',
  autoStart: true,
  requires: [ICompletionProviderManager, IServices],
  activate: (
    _app: JupyterFrontEnd,
    manager: ICompletionProviderManager,
    { knowledge }: IServices
  ) => manager.registerProvider(new FlowCompletions(() => knowledge.get()))
};
