/** What fits at a position of a flow's YAML: keys, types, values, names in expressions. */

import type { PluginTypes } from '../api/types';
import type { Completion, Item } from './completion';
import { completeExpression } from './expressions';
import { documentAt, locate, type Place } from './locate';
import type { Schema, SchemaReader, Shape } from './schema';

/** What the server knows; both parts may be missing. */
export interface Knowledge {
  schema?: SchemaReader;
  types?: PluginTypes;
}

export function complete(yaml: string, offset: number, known: Knowledge): Completion | undefined {
  const expression = completeExpression(documentAt(yaml, offset), offset);
  if (expression) {
    return expression;
  }
  const place = locate(yaml, offset);
  if (!place) {
    return undefined;
  }
  const items = place.kind === 'key' ? keys(place, known) : values(place, known);
  return { start: place.start, end: place.end, items };
}

/**
 * The items that hold what was typed, those first that begin with it. JupyterLab shows all it is given, and narrows only
 * what is typed afterwards.
 */
export function matching(items: Item[], word: string): Item[] {
  const typed = word.toLowerCase();
  const names = items.map(item => ({ item, name: item.label.toLowerCase().replace(/^- /, '') }));
  const hits = names.filter(({ name }) => name.includes(typed));
  const begins = hits.filter(({ name }) => name.startsWith(typed));
  return [...new Set([...begins, ...hits])].map(({ item }) => item);
}

function keys(place: Place, { schema }: Knowledge): Item[] {
  if (!schema) {
    return [];
  }
  const block = place.path.at(-1)?.block;
  const here = schema.schemasAt(place.path);
  const all = here.flatMap(each => schema.shapes(each));
  const { shapes, isSure } = schema.narrow(all, block);
  const taken = new Set(block?.pairs.filter(pair => pair !== place.pair).map(pair => pair.key));
  const offered = isSure ? union(shapes) : common(shapes);
  const found = keyItems(schema, shapes, offered, place).filter(item => !taken.has(item.label));
  if (place.pair.hasColon || found.length) {
    return found;
  }
  const bare = unique(all.flatMap(shape => shape.values)).map(value => valueItem(value, ''));
  return bare.length ? bare : firstItemKeys(schema, all, place);
}

/** Below `tasks:` without a dash yet: the keys of an item, each with its dash. */
function firstItemKeys(schema: SchemaReader, all: Shape[], place: Place): Item[] {
  const ways = all.flatMap(shape => (shape.items ? schema.shapes(shape.items) : []));
  const { shapes, isSure } = schema.narrow(ways, undefined);
  const offered = isSure ? union(shapes) : common(shapes);
  return keyItems(schema, shapes, offered, place).map(item => ({
    ...item,
    label: `- ${item.label}`,
    insert: `- ${item.insert}`
  }));
}

/** Required keys first, `id` and `type` before all; otherwise as the schema has them. */
function keyItems(
  schema: SchemaReader,
  shapes: Shape[],
  offered: Map<string, Schema>,
  place: Place
): Item[] {
  const rank = (key: string): number =>
    key === 'id' ? 0 : key === 'type' ? 1 : shapes.every(s => s.required.has(key)) ? 2 : 3;
  const sorted = [...offered].sort(([a], [b]) => rank(a) - rank(b));
  return sorted.map(([key, value]) => {
    const ways = schema.shapes(value);
    const nests = ways.length > 0 && ways.every(way => way.items || way.properties.size > 0);
    const colon = place.pair.hasColon ? '' : nests ? ':' : ': ';
    return { label: key, insert: key + colon, kind: 'property', documentation: describe(ways) };
  });
}

function values(place: Place, known: Knowledge): Item[] {
  const { schema } = known;
  const block = place.path.at(-1)?.block;
  const here = schema?.schemasAt(place.path) ?? [];
  const pad = place.start === place.pair.keyEnd + 1 ? ' ' : '';
  if (place.pair.key === 'type' && block) {
    const types = typeItems(place, known, here);
    if (types.length) {
      return types.map(item => ({ ...item, insert: pad + item.insert }));
    }
  }
  if (!schema || !block) {
    return [];
  }
  const ways = schema.property(here, block, place.pair.key).flatMap(each => schema.shapes(each));
  const booleans = ways.some(way => way.types.includes('boolean')) ? ['true', 'false'] : [];
  const texts = unique([...ways.flatMap(way => way.values), ...booleans]);
  return texts.map(value => valueItem(value, pad));
}

function typeItems(place: Place, { schema, types }: Knowledge, here: Schema[]): Item[] {
  const items = new Map<string, Item>();
  for (const shape of schema ? here.flatMap(each => schema.shapes(each)) : []) {
    const [canonical, ...others] = schema?.typeNames(shape) ?? [];
    const words = [shape.title, shape.description].filter(Boolean).join('\n\n');
    const aliases = shape.aliases.concat(
      ...(schema?.shapes(shape.properties.get('type') ?? {}) ?? []).map(way => way.aliases)
    );
    for (const name of canonical === undefined ? [] : [canonical, ...others]) {
      const documentation = aliases.includes(name) ? `Short for ${canonical}\n\n${words}` : words;
      items.set(name, { label: name, insert: name, kind: 'class', documentation });
    }
  }
  const kind = pluginKind(place);
  for (const name of (kind && types?.[kind]) ?? []) {
    if (!items.has(name)) {
      items.set(name, { label: name, insert: name, kind: 'class', documentation: '' });
    }
  }
  return [...items.values()];
}

/** Which of the server's classes may stand here, by the list that holds the map. */
function pluginKind(place: Place): keyof PluginTypes | undefined {
  const above = place.path.slice(0, -1).map(crumb => crumb.pair?.key);
  const holder = above.findLast(key => key !== undefined);
  if (holder === 'triggers') {
    return 'triggers';
  }
  const holders = ['tasks', 'errors', 'finally', 'then', 'else', 'afterExecution', 'task'];
  const isCase = above.includes('cases') || above.includes('defaults');
  return holders.includes(holder ?? '') || isCase ? 'tasks' : undefined;
}

function union(shapes: Shape[]): Map<string, Schema> {
  return new Map(shapes.flatMap(shape => [...shape.properties]));
}

function common(shapes: Shape[]): Map<string, Schema> {
  const all = union(shapes);
  return new Map([...all].filter(([key]) => shapes.every(shape => shape.properties.has(key))));
}

export function describe(ways: Shape[]): string {
  const way = ways.find(each => each.title || each.description);
  return way ? unique([way.title, way.description].filter(Boolean)).join('\n\n') : '';
}

function valueItem(value: string, pad: string): Item {
  return { label: value, insert: pad + value, kind: 'enum', documentation: '' };
}

function unique(items: string[]): string[] {
  return [...new Set(items)];
}
