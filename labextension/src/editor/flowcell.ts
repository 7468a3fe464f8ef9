/** Turns a cell's editor into a YAML editor for as long as its first line is `%%flow`. */

import { yaml } from '@codemirror/lang-yaml';
import { linter, lintGutter } from '@codemirror/lint';
import { Compartment, type Extension, Prec, StateField, type Text } from '@codemirror/state';
import { EditorView, hoverTooltip, type PluginValue, ViewPlugin } from '@codemirror/view';

import type { Problem } from '../api/types';
import type { Knowledge } from '../yaml/complete';
import { flowBody, flowText, isFlowCell } from '../yaml/cell';
import { asSeenInNotebook, toRanges } from '../yaml/diagnostics';
import { hover } from '../yaml/hover';

export interface FlowCellServices {
  validate(source: string): Promise<Problem[]>;
  knowledge(): Promise<Knowledge>;
}

export function flowCell(services: FlowCellServices): Extension {
  const slot = new Compartment();
  // `language` takes the first value: YAML wins over the notebook's language while the slot is filled.
  const yamlMode = [
    Prec.highest(yaml()),
    EditorView.editorAttributes.of({ class: 'jp-nbflow-cell' }), // the shortcut's selector
    linter(view => lint(view, services), { delay: 300 }),
    lintGutter(),
    hoverTooltip((view, position) => explain(view, position, services))
  ];
  const isFlow = StateField.define<boolean>({
    create: state => holdsFlow(state.doc),
    update: (value, transaction) => (transaction.docChanged ? holdsFlow(transaction.newDoc) : value)
  });
  const watcher = ViewPlugin.define((view): PluginValue => {
    let isOn = false;
    let isGone = false;
    const adapt = () => {
      // Never dispatch from within an update.
      queueMicrotask(() => {
        const wanted = !isGone && view.state.field(isFlow);
        if (!isGone && wanted !== isOn) {
          isOn = wanted;
          view.dispatch({ effects: slot.reconfigure(wanted ? yamlMode : []) });
        }
      });
    };
    adapt();
    return {
      update: change => {
        if (change.docChanged) {
          adapt();
        }
      },
      destroy: () => {
        isGone = true;
      }
    };
  });
  return [isFlow, Prec.highest(slot.of([])), watcher];
}

/** Looks at the beginning alone: called at every key stroke. */
function holdsFlow(doc: Text): boolean {
  return isFlowCell(doc.sliceString(0, 200));
}

async function lint(view: EditorView, { validate }: FlowCellServices) {
  const doc = view.state.doc;
  const source = doc.toString();
  const body = flowBody(source);
  if (body.trim() === '') {
    return [];
  }
  try {
    const problems = (await validate(body)).map(asSeenInNotebook);
    return view.state.doc.eq(doc) ? toRanges(problems, source) : [];
  } catch {
    return []; // no server, no marks; the panel says what is wrong with it
  }
}

async function explain(view: EditorView, position: number, { knowledge }: FlowCellServices) {
  const { schema } = await knowledge();
  const found = schema && hover(flowText(view.state.doc.toString()), position, schema);
  if (!found) {
    return null;
  }
  const create = () => {
    const dom = document.createElement('div');
    dom.className = 'jp-nbflow-hover';
    const title = document.createElement('strong');
    title.textContent = found.title;
    const text = document.createElement('div');
    text.textContent = found.text;
    dom.append(title, text);
    return { dom };
  };
  return { pos: found.start, end: found.end, above: true, create };
}
