/** What a completion is: a stretch of text, and what may stand there. */

export interface Item {
  label: string;
  insert: string;
  kind: 'property' | 'class' | 'enum' | 'variable' | 'function';
  documentation: string;
}

export interface Completion {
  start: number;
  end: number;
  items: Item[];
}
