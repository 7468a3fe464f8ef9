/**
 * The block structure of YAML text that may be half typed: a tree of maps and lists, with offsets.
 *
 * A parser for YAML gives up on unfinished text; this one goes by indentation alone. A line without a colon
 * counts as a key being typed. Flow style (`{…}`, `[…]`) and block text stay opaque values.
 */

export interface Pair {
  key: string;
  keyStart: number;
  keyEnd: number;
  /** Whether the colon is there yet. */
  hasColon: boolean;
  /** What stands behind the colon, quotes and comment removed. */
  value: string;
  valueStart: number;
  /** Offset of the end of its line. */
  lineEnd: number;
  child?: Block;
}

export interface Block {
  indent: number;
  isList: boolean;
  /** Of a map. */
  pairs: Pair[];
  /** Of a list; an item that is a plain value has one pair without colon. */
  items: Block[];
}

interface Token {
  indent: number;
  kind: 'dash' | 'pair';
  pair?: Pair;
}

// Without nested repetitions: long lines take linear time.
const QUOTED_KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*:(?=\s|$)/;
const PLAIN_KEY = /^((?:[^\s#[\]{},&*!|>'"%@`-]|-[^\s#])[^#]*?):(?=\s|$)/;
const BLOCK_TEXT = /^[|>][0-9+-]*\s*(#.*)?$/;

export function outline(text: string): Block {
  const root: Block = { indent: -1, isList: true, pairs: [], items: [] };
  const open: Block[] = [root];
  for (const line of tokens(text)) {
    for (const token of line) {
      place(token, open);
    }
  }
  return root.items[0] ?? { indent: 0, isList: false, pairs: [], items: [] };
}

/** The lines as tokens: each `- ` by itself, then a key (with its value) or a bare word. */
function* tokens(text: string): Generator<Token[]> {
  let offset = 0;
  let textIndent = -1; // lines deeper than this are block text
  for (const line of text.split('\n')) {
    const start = offset;
    offset += line.length + 1;
    const indent = line.search(/\S/);
    if (indent < 0 || (textIndent >= 0 && indent > textIndent)) {
      continue;
    }
    textIndent = -1;
    if (line[indent] === '#') {
      continue;
    }
    const found: Token[] = [];
    let column = indent;
    for (;;) {
      const dash = /^-(\s+|$)/.exec(line.slice(column));
      if (!dash) {
        break;
      }
      found.push({ indent: column, kind: 'dash' });
      column += dash[0].length;
    }
    const rest = line.slice(column);
    if (rest !== '' && !rest.startsWith('#')) {
      const pair = readPair(rest, start + column);
      found.push({ indent: column, kind: 'pair', pair });
      if (BLOCK_TEXT.test(pair.value)) {
        const dash = found.findLast(token => token.kind === 'dash');
        textIndent = pair.hasColon ? column : (dash?.indent ?? column);
      }
    }
    yield found;
  }
}

function readPair(rest: string, offset: number): Pair {
  const lineEnd = offset + rest.length;
  const match = QUOTED_KEY.exec(rest) ?? PLAIN_KEY.exec(rest);
  if (!match) {
    const word = rest.trimEnd();
    const pair = { key: unquote(word), keyStart: offset, keyEnd: offset + word.length };
    return { ...pair, hasColon: false, value: word, valueStart: offset, lineEnd };
  }
  const whole = match[0];
  const key = (match[1] ?? '').trimEnd();
  const tail = rest.slice(whole.length);
  return {
    key: unquote(key),
    keyStart: offset,
    keyEnd: offset + key.length,
    hasColon: true,
    value: unquote(withoutComment(tail).trim()),
    valueStart: offset + whole.length + (tail.length - tail.trimStart().length),
    lineEnd
  };
}

/** Puts a token where its indentation says; `open` holds the blocks from the root to the innermost. */
function place(token: Token, open: Block[]): void {
  const isDash = token.kind === 'dash';
  let top = open.at(-1) as Block;
  const leaves = () =>
    top.indent > token.indent || (top.indent === token.indent && top.isList && !isDash);
  while (open.length > 1 && leaves()) {
    open.pop();
    top = open.at(-1) as Block;
  }
  if (top.indent < token.indent || (isDash && !top.isList)) {
    top = enter(top, token.indent, isDash);
    open.push(top);
  }
  if (token.pair) {
    top.pairs.push(token.pair);
  } else {
    top.items.push({ indent: token.indent, isList: false, pairs: [], items: [] });
  }
}

/** A new block below the last pair or item of `top`; one that fits nowhere hangs in the air. */
function enter(top: Block, indent: number, isList: boolean): Block {
  const block: Block = { indent, isList, pairs: [], items: [] };
  if (top.indent < 0) {
    top.items.push(block);
  } else if (top.isList) {
    const item = top.items.at(-1);
    if (item && item.pairs.length === 0 && item.items.length === 0) {
      return Object.assign(item, { indent, isList });
    }
  } else {
    const last = top.pairs.at(-1);
    if (last?.hasColon && last.child === undefined) {
      last.child = block;
    }
  }
  return block;
}

function withoutComment(value: string): string {
  const quoted = /^\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(value);
  return quoted ? quoted[0] : value.replace(/(^|\s)#.*$/, '');
}

export function unquote(value: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
  if (double) {
    return (double[1] ?? '').replace(/\\(.)/g, '$1');
  }
  const single = /^'((?:[^']|'')*)'$/.exec(value);
  return single ? (single[1] ?? '').replaceAll("''", "'") : value;
}
