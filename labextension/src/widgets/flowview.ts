/** One flow: its source, and a button that runs it. */

import { syntaxHighlighting } from '@codemirror/language';
import { yaml } from '@codemirror/lang-yaml';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { jupyterHighlightStyle, jupyterTheme } from '@jupyterlab/codemirror';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Flow } from '../api/types';
import type { Actions } from './actions';
import { button, h } from './dom';

export class FlowView extends Widget {
  constructor(
    private readonly _fetch: () => Promise<Flow>,
    private readonly _actions: Actions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-nbflow-view');
    this.node.append(this._error, this._head, this._source);
    this._editor = new EditorView({
      parent: this._source,
      extensions: [
        jupyterTheme,
        syntaxHighlighting(jupyterHighlightStyle),
        yaml(),
        lineNumbers(),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ 'aria-label': _trans.__('Source of the flow') })
      ]
    });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._editor.destroy();
      super.dispose();
    }
  }

  async refresh(): Promise<void> {
    try {
      this._draw(await this._fetch());
      this._error.hidden = true;
    } catch (error) {
      this._error.textContent = error instanceof Error ? error.message : String(error);
      this._error.hidden = false;
    }
  }

  protected override onAfterAttach(): void {
    if (this.isVisible) {
      this.onAfterShow();
    }
  }

  /** Somebody may have saved a new revision meanwhile. */
  protected override onAfterShow(): void {
    void this.refresh();
  }

  private _draw(flow: Flow): void {
    if (this.isDisposed) {
      return;
    }
    const run = () => this._actions.runFlow(flow.namespace, flow.id);
    this._head.replaceChildren(
      h(
        'div',
        { class: 'jp-nbflow-head-line' },
        h('span', { class: 'jp-nbflow-title' }, `${flow.namespace}.${flow.id}`),
        h('span', {}, this._trans.__('revision %1', flow.revision)),
        flow.disabled && h('span', { class: 'jp-nbflow-label' }, this._trans.__('disabled')),
        ...flow.labels.map(label =>
          h('span', { class: 'jp-nbflow-label' }, `${label.key}: ${label.value}`)
        ),
        h('span', { class: 'jp-nbflow-spring' }),
        button(this._trans.__('Run'), run, { 'data-action': 'run', disabled: flow.disabled })
      ),
      h('div', { class: 'jp-nbflow-faded' }, flow.description)
    );
    const [before, after] = [this._editor.state.doc.toString(), flow.source ?? ''];
    if (before !== after) {
      this._editor.dispatch({ changes: { from: 0, to: before.length, insert: after } });
    }
  }

  private _error = h('p', { class: 'jp-nbflow-error', role: 'alert', hidden: true });
  private _head = h('header', { class: 'jp-nbflow-head' });
  private _source = h('div', { class: 'jp-nbflow-source' });
  private _editor: EditorView;
}
