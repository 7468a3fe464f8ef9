/** JSON Schema (draft 7) as an editor needs it: which keys and values fit at a place. */

import { isObject, list, text } from '../api/guards';
import type { Block } from './outline';
import type { Crumb } from './locate';

export type Schema = { [key: string]: unknown };

/** One way to satisfy a schema, references and combinations resolved. */
export interface Shape {
  properties: Map<string, Schema>;
  required: Set<string>;
  items?: Schema;
  additional?: Schema;
  /** From `const` and `enum`. */
  values: string[];
  types: string[];
  title: string;
  description: string;
  aliases: string[];
}

export class SchemaReader {
  constructor(private readonly _root: Schema) {}

  get root(): Schema {
    return this._root;
  }

  /** All ways to satisfy a schema; a cycle of references ends where it began. */
  shapes(schema: Schema, above: readonly Schema[] = []): Shape[] {
    const known = this._cache.get(schema);
    if (known) {
      return known;
    }
    if (above.includes(schema)) {
      return [];
    }
    const chain = [...above, schema];
    let found = [ownShape(schema)];
    for (const part of [this._referenced(schema), ...schemas(schema.allOf)]) {
      found = part ? combine(found, this.shapes(part, chain)) : found;
    }
    for (const choice of [schemas(schema.anyOf), schemas(schema.oneOf)]) {
      const ways = choice.flatMap(option => this.shapes(option, chain));
      found = choice.length ? combine(found, ways) : found;
    }
    this._cache.set(schema, found);
    return found;
  }

  /** The names that `type:` may have in this shape, the canonical one first. */
  typeNames(shape: Shape): string[] {
    const type = shape.properties.get('type');
    if (!type) {
      return [];
    }
    const ways = this.shapes(type);
    const names = ways.flatMap(way => way.values);
    return names.length ? [...names, ...ways.flatMap(way => way.aliases), ...shape.aliases] : [];
  }

  /**
   * The shapes that a written map may have, by its `type:`. Without one, or with an unknown one,
   * `isSure` is false and all shapes with properties come back.
   */
  narrow(shapes: Shape[], block: Block | undefined): { shapes: Shape[]; isSure: boolean } {
    const maps = shapes.filter(shape => shape.properties.size > 0);
    const written = block?.pairs.find(pair => pair.key === 'type' && pair.hasColon)?.value;
    const fitting = maps.filter(shape => this.typeNames(shape).includes(written ?? ''));
    return fitting.length
      ? { shapes: fitting, isSure: true }
      : { shapes: maps, isSure: maps.length < 2 };
  }

  /** The schemas that hold for a property of a written map. */
  property(schemas: Schema[], block: Block, key: string): Schema[] {
    const all = schemas.flatMap(schema => this.shapes(schema));
    const { shapes } = this.narrow(all, block);
    const named = shapes.flatMap(shape => some(shape.properties.get(key)));
    return named.length ? named : all.flatMap(shape => some(shape.additional));
  }

  /** The schemas of the block that the last crumb stands in. */
  schemasAt(path: readonly Crumb[]): Schema[] {
    let here: Schema[] = [this._root];
    for (const crumb of path.slice(0, -1)) {
      here =
        crumb.block.isList || !crumb.pair
          ? here.flatMap(schema => this.shapes(schema)).flatMap(shape => some(shape.items))
          : this.property(here, crumb.block, crumb.pair.key);
    }
    return here;
  }

  private _referenced(schema: Schema): Schema | undefined {
    const reference = text(schema.$ref);
    if (!reference?.startsWith('#')) {
      return undefined;
    }
    let here: unknown = this._root;
    for (const step of reference.split('/').slice(1)) {
      const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
      here = isObject(here) ? here[name] : undefined;
    }
    return isObject(here) ? here : undefined;
  }

  private _cache = new WeakMap<Schema, Shape[]>();
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function some(schema: Schema | undefined): Schema[] {
  return schema ? [schema] : [];
}

function schemas(value: unknown): Schema[] {
  return list(value, item => (isObject(item) ? item : undefined));
}

function ownShape(schema: Schema): Shape {
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  const constant = text(schema.const);
  return {
    properties: new Map(
      properties.flatMap(([key, value]) => (isObject(value) ? [[key, value] as const] : []))
    ),
    required: new Set(list(schema.required, text)),
    items: isObject(schema.items) ? schema.items : undefined,
    additional: isObject(schema.additionalProperties) ? schema.additionalProperties : undefined,
    values: constant === undefined ? list(schema.enum, text) : [constant],
    types: Array.isArray(schema.type) ? list(schema.type, text) : list([schema.type], text),
    title: text(schema.title) ?? '',
    description: text(schema.description) ?? '',
    aliases: list(schema['x-aliases'], text)
  };
}

/** Every pair of a left and a right shape, merged; the left one's words win. */
function combine(left: Shape[], right: Shape[]): Shape[] {
  return right.length ? left.flatMap(one => right.map(other => merge(one, other))) : left;
}

function merge(one: Shape, other: Shape): Shape {
  return {
    properties: new Map([...other.properties, ...one.properties]),
    required: new Set([...one.required, ...other.required]),
    items: one.items ?? other.items,
    additional: one.additional ?? other.additional,
    values: one.values.length ? one.values : other.values,
    types: one.types.length ? one.types : other.types,
    title: one.title || other.title,
    description: one.description || other.description,
    aliases: [...one.aliases, ...other.aliases]
  };
}
