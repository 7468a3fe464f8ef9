import { describe, expect, it } from 'vitest';

import { type Block, outline } from '../../yaml/outline';

/** The outline as plain data: keys with what is below them. */
function plain(block: Block): unknown {
  if (block.isList) {
    return block.items.map(plain);
  }
  return Object.fromEntries(
    block.pairs.map(pair => [pair.key, pair.child ? plain(pair.child) : pair.value])
  );
}

describe('outline', () => {
  it.each([
    ['a: 1\nb: two', { a: '1', b: 'two' }],
    ['a:\n  b:\n    c: 1\nd: 2', { a: { b: { c: '1' } }, d: '2' }],
    ['a:\n- b: 1\n  c: 2\n- b: 3\nd: 4', { a: [{ b: '1', c: '2' }, { b: '3' }], d: '4' }],
    ['a:\n  - - b: 1\n    - b: 2', { a: [[{ b: '1' }, { b: '2' }]] }],
    ['a: |\n  b: 1\n\n  c: 2\nd: 3', { a: '|', d: '3' }],
    ['a:\n  - b: >-\n      text: no\n    c: 1', { a: [{ b: '>-', c: '1' }] }],
    ["\"a b\": 'it''s' # why", { 'a b': "it's" }],
    ['url: http://x:1/#y', { url: 'http://x:1/#y' }],
    ['a: {b: 1}\nc: [x, y]', { a: '{b: 1}', c: '[x, y]' }],
    ['-x: 1\na b : 2', { '-x': '1', 'a b': '2' }],
    ['# only\n\na: # later\n  b: 1', { a: { b: '1' } }],
    ['', {}]
  ])('of %j', (text, expected) => {
    expect(plain(outline(text))).toEqual(expected);
  });

  it('takes linear time for long lines', () => {
    const start = performance.now();
    outline(`a: ${' '.repeat(200_000)}x\n${'b '.repeat(100_000)}\n"${'\\"'.repeat(100_000)}`);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('takes a word without colon for a key being typed', () => {
    expect(outline('a: 1\nwor').pairs[1]).toMatchObject({ key: 'wor', hasColon: false });
  });
});
