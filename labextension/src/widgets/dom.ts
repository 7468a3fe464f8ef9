/** Builds DOM elements; whatever comes from users goes in as text, never as markup. */

type Child = Node | string | undefined | false;

interface Attributes {
  class?: string;
  title?: string;
  onclick?: (event: MouseEvent) => void;
  oninput?: (event: Event) => void;
  onchange?: (event: Event) => void;
  [name: string]: string | boolean | ((event: MouseEvent) => void) | undefined;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (typeof value === 'string') {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

/** A button that is one for keyboards and screen readers too. */
export function button(label: string, run: () => void, attributes: Attributes = {}) {
  const all = { type: 'button', class: 'jp-nbflow-button', ...attributes, onclick: () => run() };
  return h('button', all, label);
}
