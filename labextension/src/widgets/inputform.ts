/** The form that asks for the inputs of a flow, and what it sends. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Flow, FlowInput, JsonValue } from '../api/types';
import { h } from './dom';

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const HTML_TYPES: Record<string, string> = {
  INT: 'number',
  FLOAT: 'number',
  DATE: 'date',
  TIME: 'time',
  DATETIME: 'datetime-local',
  EMAIL: 'email',
  SECRET: 'password',
  URI: 'url',
  FILE: 'file'
};

const LONG = ['JSON', 'YAML', 'ARRAY', 'ION'];

export class InputForm {
  readonly node: HTMLFormElement;

  constructor(
    flow: Flow,
    private readonly _trans: TranslationBundle
  ) {
    this.node = h('form', { class: 'jp-nbflow-form' });
    for (const input of flow.inputs) {
      const control = makeControl(input);
      this._controls.set(input, control);
      this.node.append(this._row(input, control));
    }
  }

  /** Says whether all required inputs are there and well formed; shows the browser's words if not. */
  check(): boolean {
    return this.node.reportValidity();
  }

  /** One part for each input that was filled in. */
  data(): FormData {
    const data = new FormData();
    for (const [input, control] of this._controls) {
      if (control instanceof HTMLInputElement && control.type === 'file') {
        const file = control.files?.[0];
        if (file) {
          data.append(input.id, file, file.name);
        }
        continue;
      }
      const value = read(input, control);
      if (value !== undefined) {
        data.append(input.id, value);
      }
    }
    return data;
  }

  private _row(input: FlowInput, control: Control): HTMLElement {
    const name = h('span', { class: 'jp-nbflow-form-name' }, input.displayName ?? input.id);
    const kind = h('span', { class: 'jp-nbflow-form-type' }, input.type);
    const star = isRequired(input) && h('abbr', { title: this._trans.__('required') }, ' *');
    const words =
      input.description && h('div', { class: 'jp-nbflow-form-description' }, input.description);
    const row = { class: 'jp-nbflow-form-row', 'data-input': input.id };
    return h('label', row, name, star, kind, words || undefined, control);
  }

  private _controls = new Map<FlowInput, Control>();
}

function makeControl(input: FlowInput): Control {
  const preset = presetText(input.defaults);
  const attributes = { class: 'jp-nbflow-input', name: input.id, required: isRequired(input) };
  if (input.type === 'BOOLEAN' || input.type === 'BOOL') {
    const choices = input.required ? ['true', 'false'] : ['', 'true', 'false'];
    return select(choices, preset, { ...attributes, required: false });
  }
  if (input.type === 'MULTISELECT') {
    const chosen = Array.isArray(input.defaults) ? input.defaults.map(String) : [];
    const all = { ...attributes, multiple: true };
    return h('select', all, ...input.values.map(value => option(value, chosen.includes(value))));
  }
  if ((input.type === 'SELECT' || input.type === 'ENUM') && !input.allowCustomValue) {
    const isFree = !input.required || preset === '';
    return select(isFree ? ['', ...input.values] : input.values, preset, attributes);
  }
  if (LONG.includes(input.type)) {
    const area = h('textarea', { ...attributes, rows: '4', spellcheck: 'false' });
    area.value = preset;
    return area;
  }
  const bound = (value: number | undefined) => (value === undefined ? undefined : String(value));
  const control = h('input', {
    ...attributes,
    type: HTML_TYPES[input.type] ?? 'text',
    step: input.type === 'FLOAT' ? 'any' : input.type === 'DATETIME' ? '1' : undefined,
    min: bound(input.min),
    max: bound(input.max),
    placeholder: input.type === 'DURATION' ? 'PT1H30M' : undefined
  });
  if (control.type !== 'file') {
    control.value = control.type === 'datetime-local' ? localTime(preset) : preset;
  }
  return control;
}

/** The server fills defaults in itself, also those that are expressions. */
function isRequired(input: FlowInput): boolean {
  return input.required && input.defaults === undefined;
}

function presetText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) {
    return '';
  }
  const isPlain = typeof value !== 'object';
  const shown = isPlain ? String(value) : JSON.stringify(value, null, 2);
  return shown.includes('{{') ? '' : shown;
}

/** `undefined` leaves the input out, so that its default holds. */
function read(input: FlowInput, control: Control): string | undefined {
  if (control instanceof HTMLSelectElement && control.multiple) {
    const chosen = [...control.selectedOptions].map(each => each.value);
    return chosen.length ? JSON.stringify(chosen) : undefined;
  }
  if (control.value === '') {
    return undefined;
  }
  return input.type === 'DATETIME' ? new Date(control.value).toISOString() : control.value;
}

function localTime(instant: string): string {
  const date = new Date(instant);
  if (instant === '' || Number.isNaN(date.getTime())) {
    return '';
  }
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function select(values: string[], chosen: string, attributes: Parameters<typeof h>[1]) {
  return h('select', attributes, ...values.map(value => option(value, value === chosen)));
}

function option(value: string, selected: boolean): HTMLOptionElement {
  return h('option', { value, selected }, value);
}
