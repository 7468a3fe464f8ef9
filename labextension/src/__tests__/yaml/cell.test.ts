import { describe, expect, it } from 'vitest';

import { flowBody, flowText, isFlowCell } from '../../yaml/cell';
import { asSeenInNotebook, toRanges } from '../../yaml/diagnostics';
import { hover } from '../../yaml/hover';
import { SchemaReader } from '../../yaml/schema';
import { schema } from './flow.schema';

describe('cells', () => {
  it.each(['%%flow', '%%flow\nid: a', '\n %%flow --run name=Ada\nid: a'])('%j holds a flow', s => {
    expect(isFlowCell(s)).toBe(true);
  });

  it.each(['', '%flow', '%%flows', '%%flow-x', 'x = 1\n%%flow'])('%j does not', source => {
    expect(isFlowCell(source)).toBe(false);
  });

  it('keep their offsets and their lines', () => {
    const source = '\n%%flow --run\nid: a\n';
    expect(flowText(source)).toBe('\n            \nid: a\n');
    expect(flowBody(source)).toBe('\n\nid: a\n');
  });
});

describe('diagnostics', () => {
  const base = { message: 'no', hint: '', path: '', severity: 'error', length: 0 } as const;
  const source = '%%flow\nid: a b\ntasks: 😀 xyz\n';

  it.each([
    [{ line: 2, column: 5 }, 'a'],
    [{ line: 2, column: 5, length: 3 }, 'a b'],
    [{ line: 2, column: 5, length: 99 }, 'a b'],
    [{ line: 3, column: 10 }, 'xyz'],
    [{ line: 2, column: 99 }, 'id: a b'],
    [{ line: 0, column: 0 }, '%%flow']
  ])('mark %j', (place, marked) => {
    const [range] = toRanges([{ ...base, ...place }], source);
    expect(source.slice(range?.from, range?.to)).toBe(marked);
  });

  it('stay inside the text', () => {
    const [range] = toRanges([{ ...base, line: 99, column: 7 }], source);
    expect(range).toMatchObject({ from: source.length, to: source.length });
  });

  it('say where, what and how to mend', () => {
    const problem = { ...base, line: 1, column: 1, path: 'tasks[0].id', hint: 'give one' };
    expect(toRanges([problem], source)[0]?.message).toBe('tasks[0].id: no\ngive one');
  });

  it.each([
    ['there is no task type `greet`', 'warning'],
    ['there is no trigger type `my.Bell`', 'warning'],
    ['there is no task type `io.kestra.plugin.core.log.Lgo`', 'error'],
    ['there is no input `x`', 'error']
  ])('leave open whether a cell defines a type: %s', (message, severity) => {
    expect(asSeenInNotebook({ ...base, line: 1, column: 1, message }).severity).toBe(severity);
  });
});

describe('hover', () => {
  const reader = new SchemaReader(schema);
  const text = 'id: a\nnamespace: b\ntasks:\n  - id: c\n    type: log\n    level: INFO\n';
  const over = (word: string) => hover(text, text.indexOf(word) + 1, reader);

  it('explains keys and types', () => {
    expect(over('namespace')).toMatchObject({ title: 'namespace', text: 'Where the flow lives.' });
    expect(over('level')?.text).toBe('How loud.');
    expect(over('log')).toMatchObject({
      title: 'log',
      text: 'Log a message\n\nWrites to the log.'
    });
  });

  it('is silent about the rest', () => {
    expect(over('INFO')).toBeUndefined();
    expect(over('tasks')).toBeUndefined();
  });
});
