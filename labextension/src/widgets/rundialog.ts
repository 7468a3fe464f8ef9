/** Asks for the inputs of a flow and starts it; the server's refusal stays in the dialog. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Execution, Flow } from '../api/types';
import { h } from './dom';
import { InputForm } from './inputform';

export type Start = (inputs: FormData) => Promise<Execution>;

class FormBody extends Widget {
  readonly form: InputForm;

  constructor(flow: Flow, trans: TranslationBundle) {
    super();
    this.addClass('jp-nbflow-run');
    this.form = new InputForm(flow, trans);
    this.node.append(this._error, this.form.node);
  }

  showError(words: string): void {
    this._error.textContent = words;
    this._error.hidden = words === '';
  }

  private _error = h('p', { class: 'jp-nbflow-error', role: 'alert', hidden: true });
}

/** The new execution; nothing when the user went back. A flow without inputs starts at once. */
export async function runFlow(
  flow: Flow,
  start: Start,
  trans: TranslationBundle
): Promise<Execution | undefined> {
  if (flow.inputs.length === 0) {
    return start(new FormData());
  }
  const body = new FormBody(flow, trans);
  let started: Execution | undefined;
  const dialog = new StayingDialog(
    {
      title: trans.__('Run %1', `${flow.namespace}.${flow.id}`),
      body,
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Run') })],
      focusNodeSelector: '.jp-nbflow-form [name]'
    },
    async () => {
      if (!body.form.check()) {
        return false;
      }
      try {
        started = await start(body.form.data());
        return true;
      } catch (error) {
        body.showError(error instanceof Error ? error.message : String(error));
        return false;
      }
    }
  );
  await dialog.launch();
  return started;
}

/** A dialog that closes by its last button only when the work behind it has succeeded. */
class StayingDialog extends Dialog<unknown> {
  constructor(
    options: Partial<Dialog.IOptions<unknown>>,
    private readonly _work: () => Promise<boolean>
  ) {
    super(options);
    this._last = (options.buttons?.length ?? 1) - 1;
  }

  override resolve(index?: number): void {
    if (index !== undefined && index !== this._last) {
      super.resolve(index);
      return;
    }
    if (this._isBusy) {
      return;
    }
    this._isBusy = true;
    void this._work().then(isDone => {
      this._isBusy = false;
      if (isDone) {
        super.resolve(this._last);
      }
    });
  }

  private _last: number;
  private _isBusy = false;
}
