/** The main-area views of one execution and one flow, and the commands that open them. */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  InputDialog,
  MainAreaWidget,
  showErrorMessage,
  WidgetTracker
} from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { Commands, executionArgs, flowArgs } from '../commands';
import { LiveExecution } from '../services/live';
import { IServices } from '../tokens';
import { type Act, ExecutionView } from '../widgets/executionview';
import { FlowView } from '../widgets/flowview';
import { nbflowIcon } from '../widgets/icon';
import { runFlow } from '../widgets/rundialog';
import { actions } from './panel';

type Tracker = WidgetTracker<MainAreaWidget<Widget>>;

export const views: JupyterFrontEndPlugin<void> = {
  id: 'nbflow:views',
  description: 'Views of one execution and of one flow.',
  autoStart: true,
  requires: [IServices],
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { client, flows, executions }: IServices,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbflow');
    const { commands, shell } = app;
    const namespace = 'nbflow-views';
    const tracker: Tracker = new WidgetTracker({ namespace });

    /** Notebook 7 has room for one document in its main area; views go below it. */
    const show = async (id: string, label: string, make: () => Widget, restore: Restore) => {
      let widget = tracker.find(each => each.id === id);
      if (!widget) {
        widget = new MainAreaWidget({ content: make() });
        widget.id = id;
        widget.title.label = label;
        widget.title.icon = nbflowIcon;
        widget.title.closable = true;
        widget.toolbar.hide();
        const { content, title } = widget;
        content.toggleClass('jp-nbflow-below', !labShell);
        content.title.changed.connect(() => {
          [title.label, title.caption] = [content.title.label, content.title.caption];
        });
        restores.set(widget, restore);
        await tracker.add(widget);
        shell.add(widget, labShell ? 'main' : 'down');
      }
      shell.activateById(id);
    };
    const restores = new WeakMap<Widget, Restore>();
    void restorer?.restore(tracker, {
      command: 'nbflow:restore-view',
      name: widget => widget.id,
      args: widget => ({ ...restores.get(widget) })
    });
    commands.addCommand('nbflow:restore-view', {
      label: trans.__('Restore View'),
      isVisible: () => false,
      execute: args =>
        commands.execute(flowArgs(args) ? Commands.openFlow : Commands.openExecution, args)
    });

    commands.addCommand(Commands.openExecution, {
      label: trans.__('Open Execution…'),
      execute: async args => {
        const id = executionArgs(args) ?? (await askExecution());
        if (id === undefined) {
          return;
        }
        const act: Act = async action => {
          const execution = await client.act(id, action);
          await executions.refresh();
          if (execution.id !== id) {
            await commands.execute(Commands.openExecution, { id: execution.id });
          }
        };
        const make = () => {
          const live = new LiveExecution(id, client);
          let state: string | undefined;
          live.changed.connect(() => {
            const before = state;
            state = live.execution?.state.current;
            if (before !== undefined && before !== state) {
              void executions.refresh(); // the list shall not lag behind the view
            }
          });
          return new ExecutionView(live, actions(app), act, trans);
        };
        await show(`nbflow-execution-${id}`, trans.__('Execution'), make, { id });
      }
    });

    commands.addCommand(Commands.openFlow, {
      label: trans.__('Open Flow…'),
      execute: async args => {
        const flow = flowArgs(args) ?? (await askFlow());
        if (flow) {
          const fetch = () => client.flow(flow.namespace, flow.id);
          const make = () => new FlowView(fetch, actions(app), trans);
          await show(`nbflow-flow-${flow.namespace}.${flow.id}`, flow.id, make, { ...flow });
        }
      }
    });

    commands.addCommand(Commands.runFlow, {
      label: trans.__('Run Flow…'),
      execute: async args => {
        const chosen = flowArgs(args) ?? (await askFlow());
        if (!chosen) {
          return;
        }
        try {
          const flow = await client.flow(chosen.namespace, chosen.id);
          const start = (inputs: FormData) => client.run(flow.namespace, flow.id, inputs);
          const execution = await runFlow(flow, start, trans);
          if (execution) {
            void executions.refresh();
            await commands.execute(Commands.openExecution, { id: execution.id });
          }
        } catch (error) {
          const words = error instanceof Error ? error.message : String(error);
          await showErrorMessage(trans.__('Cannot run %1', chosen.id), words);
        }
      }
    });
    for (const command of [Commands.openExecution, Commands.openFlow, Commands.runFlow]) {
      palette?.addItem({ command, category: 'nbflow' });
    }

    async function askExecution(): Promise<string | undefined> {
      await executions.refresh();
      const items = executions.items.map(item => `${item.id} ${item.flowId} ${item.state.current}`);
      const title = trans.__('Which execution?');
      const { value } = await InputDialog.getItem({ title, items, editable: true });
      return value?.trim().split(' ')[0] || undefined;
    }

    async function askFlow(): Promise<ReturnType<typeof flowArgs>> {
      await flows.refresh();
      const items = flows.items.map(flow => `${flow.namespace}.${flow.id}`);
      const { value } = await InputDialog.getItem({ title: trans.__('Which flow?'), items });
      const dot = value?.lastIndexOf('.') ?? -1;
      return value && dot > 0
        ? { namespace: value.slice(0, dot), id: value.slice(dot + 1) }
        : undefined;
    }
  }
};

/** The arguments of the command that opens the view again. */
type Restore = Record<string, string>;
