/** Where in the outline a position stands: the way down to it, and whether it is in a key or in a value. */

import { type Block, outline, type Pair } from './outline';

/** One step down: a list, or a map with the key that was taken (on the last step: the key at the position). */
export interface Crumb {
  block: Block;
  pair?: Pair;
}

export interface Place {
  kind: 'key' | 'value';
  path: Crumb[];
  pair: Pair;
  /** The word at the position, from its beginning up to the position, and where it begins and ends. */
  word: string;
  start: number;
  end: number;
  root: Block;
}

/** Stands for the key about to be typed on an empty line; from a private use area of Unicode. */
export const CARET = '\uE000';

/** The YAML document around the offset when several are parted by `---` lines; blanks elsewhere. */
export function documentAt(text: string, offset: number): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  let start = 0;
  let end = text.length;
  for (const line of text.matchAll(/^---\s*$/gm)) {
    if (line.index + line[0].length <= offset) {
      start = line.index + line[0].length;
    } else if (line.index >= offset) {
      end = line.index;
      break;
    }
  }
  return blank(text.slice(0, start)) + text.slice(start, end) + blank(text.slice(end));
}

export function locate(text: string, offset: number): Place | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  const lineEnd = newline < 0 ? text.length : newline;
  const before = text.slice(lineStart, offset);
  const after = text.slice(offset, lineEnd);
  const isFree = /^\s*(-\s+)*$/.test(before) && /^\s*(#.*)?$/.test(after);
  const caret = isFree ? CARET : '';
  const root = outline(documentAt(text.slice(0, offset) + caret + text.slice(offset), offset));
  const path = descend(root, offset);
  const pair = path?.at(-1)?.pair;
  if (path === undefined || pair === undefined) {
    return undefined;
  }
  if (offset <= pair.keyEnd) {
    const isCaret = pair.key === CARET;
    const [start, end] = [pair.keyStart, isCaret ? pair.keyStart : pair.keyEnd];
    return { kind: 'key', path, pair, word: text.slice(start, offset), start, end, root };
  }
  const typed = /^\s*:\s*["']?(.*)$/s.exec(text.slice(pair.keyEnd, offset));
  const word = typed?.[1];
  if (word === undefined || /(^|\s)#/.test(word)) {
    return undefined;
  }
  const rest = /^[^\s#"']*/.exec(after)?.[0] ?? '';
  const start = offset - word.length;
  return { kind: 'value', path, pair, word, start, end: offset + rest.length, root };
}

/** The way to the pair that the offset stands in: in its key, or behind its colon on the same line. */
function descend(block: Block, offset: number): Crumb[] | undefined {
  for (const item of block.items) {
    const below = descend(item, offset);
    if (below) {
      return [{ block }, ...below];
    }
  }
  for (const pair of block.pairs) {
    if (pair.keyStart <= offset && offset <= (pair.hasColon ? pair.lineEnd : pair.keyEnd)) {
      return [{ block, pair }];
    }
    const below = pair.child && descend(pair.child, offset);
    if (below) {
      return [{ block, pair }, ...below];
    }
  }
  return undefined;
}
