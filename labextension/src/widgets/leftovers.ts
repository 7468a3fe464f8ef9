/** Lines below the head of an execution: notebooks to open, kernels to attach to. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Execution } from '../api/types';
import { kernelsOf, notebooksOf } from '../services/leftovers';
import type { Actions } from './actions';
import { button, h } from './dom';

export class Leftovers {
  readonly node = h('div', { class: 'jp-nbflow-leftovers' });

  constructor(
    private readonly _actions: Pick<Actions, 'openNotebook' | 'copy'>,
    private readonly _trans: TranslationBundle
  ) {}

  update(execution: Execution): void {
    const kernels = kernelsOf(execution);
    const notebooks = notebooksOf(execution);
    const text = JSON.stringify([execution.id, kernels, notebooks]);
    if (text === this._shown) {
      return; // a button that is being clicked must stay where it is
    }
    this._shown = text;
    const trans = this._trans;
    this.node.replaceChildren(
      ...kernels.map(({ task, command }) =>
        h(
          'div',
          { class: 'jp-nbflow-leftover' },
          h('span', {}, trans.__('%1 failed and kept its kernel; open it from a notebook:', task)),
          h('code', {}, command),
          button(trans.__('Copy'), () => this._actions.copy(command), {
            title: trans.__('Copy the command')
          })
        )
      ),
      ...notebooks.map(({ task, uri, name }) =>
        h(
          'div',
          { class: 'jp-nbflow-leftover' },
          h('span', {}, trans.__('Executed notebook of %1:', task)),
          button(name, () => this._actions.openNotebook(execution.id, uri), {
            class: 'jp-nbflow-link',
            title: trans.__('Open a copy of it')
          })
        )
      )
    );
  }

  private _shown = '';
}
