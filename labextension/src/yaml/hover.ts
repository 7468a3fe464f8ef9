/** What the schema says about the key or the type under the mouse. */

import { describe } from './complete';
import { locate } from './locate';
import type { SchemaReader } from './schema';

export interface Hover {
  start: number;
  end: number;
  title: string;
  text: string;
}

export function hover(yaml: string, offset: number, schema: SchemaReader): Hover | undefined {
  const place = locate(yaml, offset);
  const block = place?.path.at(-1)?.block;
  if (!place || !block || !place.pair.hasColon) {
    return undefined;
  }
  const here = schema.schemasAt(place.path);
  if (place.kind === 'value') {
    const { shapes, isSure } = schema.narrow(
      here.flatMap(each => schema.shapes(each)),
      block
    );
    const start = place.pair.valueStart;
    const text = place.pair.key === 'type' && isSure ? describe(shapes) : '';
    const end = start + place.pair.value.length;
    return text && offset <= end ? { start, end, title: place.pair.value, text } : undefined;
  }
  const ways = schema.property(here, block, place.pair.key).flatMap(each => schema.shapes(each));
  const text = describe(ways);
  const { start, end } = place;
  return text ? { start, end, title: place.pair.key, text } : undefined;
}
