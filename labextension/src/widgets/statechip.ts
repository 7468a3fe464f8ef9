/** A state as a coloured word. */

import { stateClass } from '../services/states';
import { h } from './dom';

export function stateChip(state: string): HTMLElement {
  return h('span', { class: `jp-nbflow-chip ${stateClass(state)}` }, state);
}
