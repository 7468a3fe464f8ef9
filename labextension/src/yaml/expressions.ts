/** Names inside `{{ … }}` and `{% … %}`: the variables of an execution and the ids the text declares. */

import type { Completion, Item } from './completion';
import { type Block, outline } from './outline';

const ROOTS: Record<string, string> = {
  outputs: 'What the tasks that have ended put out.',
  inputs: 'The inputs of this execution.',
  vars: 'The `variables` of the flow.',
  execution: 'id, startDate, state, originalId of this execution.',
  flow: 'id, namespace, revision, tenantId of the flow.',
  task: 'id and type of this task.',
  taskrun: 'id, startDate, attemptsCount, value, iteration of this task run.',
  trigger: 'What started the execution; its fields depend on the trigger.',
  labels: 'The labels of the execution.',
  parent: 'The enclosing task run: parent.taskrun.value, parent.outputs.',
  parents: 'All enclosing task runs, the nearest first.',
  envs: 'Environment variables that begin with the configured prefix, in lower case.',
  globals: 'Global variables of the configuration.',
  error: 'taskId, message of the failure; in `errors` only.',
  namespace: 'Variables of the namespace.'
};

const FIELDS: Record<string, string[]> = {
  execution: ['id', 'startDate', 'state', 'originalId'],
  flow: ['id', 'namespace', 'revision', 'tenantId'],
  task: ['id', 'type'],
  taskrun: ['id', 'startDate', 'attemptsCount', 'parentId', 'value', 'iteration'],
  parent: ['taskrun', 'outputs'],
  trigger: ['date', 'next', 'previous', 'body', 'headers', 'parameters', 'executionId', 'flowId'],
  error: ['taskId', 'message']
};

const FUNCTIONS = [
  'now',
  'secret',
  'kv',
  'read',
  'fileURI',
  'printContext',
  'max',
  'min',
  'range',
  'render',
  'renderOnce',
  'currentEachOutput',
  'errorLogs',
  'uuid',
  'randomInt',
  'fromJson',
  'yaml'
];

const FILTERS = [
  'abs',
  'capitalize',
  'chunk',
  'date',
  'dateAdd',
  'default',
  'distinct',
  'endsWith',
  'escapeChar',
  'first',
  'flatten',
  'indent',
  'jq',
  'json',
  'join',
  'keys',
  'last',
  'length',
  'lower',
  'md5',
  'merge',
  'number',
  'numberFormat',
  'replace',
  'rsort',
  'sha256',
  'slice',
  'slugify',
  'sort',
  'split',
  'startsWith',
  'string',
  'substringAfter',
  'substringBefore',
  'timestamp',
  'title',
  'toIon',
  'toJson',
  'trim',
  'upper',
  'urlencode',
  'values',
  'yaml'
];

/** Nothing when the offset is not inside an expression. */
export function completeExpression(yaml: string, offset: number): Completion | undefined {
  const before = yaml.slice(Math.max(0, offset - 4000), offset);
  const opening = Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%'));
  if (opening < 0 || /[}%]\}/.test(before.slice(opening + 2))) {
    return undefined;
  }
  const inside = before.slice(opening + 2);
  const [typed = '', word = ''] = /((?:[\w-]+\.)*)([\w-]*)$/.exec(inside)?.slice(1) ?? [];
  const [start, end] = [
    offset - word.length,
    offset + (/^[\w-]*/.exec(yaml.slice(offset))?.[0].length ?? 0)
  ];
  const way = typed.split('.').filter(Boolean);
  const rest = inside.slice(0, inside.length - typed.length - word.length);
  const root = outline(yaml);
  const bracket = /\b(\w+)\[\s*["']$/.exec(rest)?.[1];
  if (bracket !== undefined) {
    return { start, end, items: members([bracket], root) };
  }
  if (isInString(rest)) {
    return { start, end, items: [] };
  }
  if (way.length) {
    const items = members(way, root).filter(item => !item.label.includes('-'));
    return { start, end, items };
  }
  return { start, end, items: /\|\s*$/.test(rest) ? FILTERS.map(filterItem) : rootItems(root) };
}

function members(way: string[], root: Block): Item[] {
  const [first = '', second] = way;
  if (second !== undefined) {
    const below = first === 'parent' && second === 'taskrun' ? (FIELDS.taskrun ?? []) : [];
    return below.map(name => variable(name));
  }
  const child = (key: string) => root.pairs.find(pair => pair.key === key)?.child;
  switch (first) {
    case 'outputs':
      return taskIds(root).map(name => variable(name));
    case 'inputs':
      return ids(child('inputs'), false).map(name => variable(name));
    case 'vars':
      return (child('variables')?.pairs ?? []).map(pair => variable(pair.key));
    case 'labels':
      return (child('labels')?.pairs ?? []).map(pair => variable(pair.key));
    default:
      return (FIELDS[first] ?? []).map(name => variable(name));
  }
}

function variable(name: string, documentation = ''): Item {
  return { label: name, insert: name, kind: 'variable', documentation };
}

function filterItem(name: string): Item {
  return { label: name, insert: name, kind: 'function', documentation: '' };
}

/** A name with a hyphen reads as a subtraction behind a dot: such names come in brackets. */
function bracketed(root: Block): Item[] {
  return ['outputs', 'inputs', 'vars'].flatMap(holder =>
    members([holder], root)
      .filter(item => item.label.includes('-'))
      .map(item => variable(`${holder}['${item.label}']`))
  );
}

function rootItems(root: Block): Item[] {
  const roots = Object.entries(ROOTS).map(([name, words]) => variable(name, words));
  const functions = FUNCTIONS.map((name): Item => ({
    label: `${name}()`,
    insert: `${name}(`,
    kind: 'function',
    documentation: ''
  }));
  return [...roots, ...bracketed(root), ...functions];
}

function taskIds(root: Block): string[] {
  const other = ['inputs', 'outputs', 'triggers', 'labels', 'variables', 'pluginDefaults'];
  const blocks = root.pairs.filter(pair => !other.includes(pair.key)).map(pair => pair.child);
  return [...new Set(blocks.flatMap(block => ids(block, true)))];
}

/** The `id:` values of the items of a list, those further down too when asked for. */
function ids(block: Block | undefined, deep: boolean): string[] {
  if (!block) {
    return [];
  }
  const own = block.items.flatMap(item =>
    item.pairs.filter(pair => pair.key === 'id' && pair.value !== '').map(pair => pair.value)
  );
  const lower = deep
    ? [...block.pairs, ...block.items.flatMap(item => item.pairs)].flatMap(p => ids(p.child, true))
    : [];
  return [...own, ...lower];
}

function isInString(code: string): boolean {
  let quote = '';
  for (const sign of code) {
    quote = quote === '' && (sign === '"' || sign === "'") ? sign : quote === sign ? '' : quote;
  }
  return quote !== '';
}
