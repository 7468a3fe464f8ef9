import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import * as guards from '../../api/guards';
import type { Execution, Flow, JsonObject, LogEntry } from '../../api/types';
import { Gantt } from '../../widgets/gantt';
import { InputForm } from '../../widgets/inputform';
import { JsonTree } from '../../widgets/jsontree';
import { LogList } from '../../widgets/loglist';

const trans = nullTranslator.load('nbflow');
const EVIL = '<img src=x onerror=alert(1)>';

describe('the input form', () => {
  const make = (...inputs: object[]) => {
    const flow = guards.flow({ id: 'f', namespace: 'n', inputs }) as Flow;
    const form = new InputForm(flow, trans);
    const control = (id: string) => form.node.querySelector(`[name="${id}"]`) as HTMLInputElement;
    return { form, control };
  };

  it.each([
    [{ type: 'STRING' }, 'text'],
    [{ type: 'INT', min: 1 }, 'number'],
    [{ type: 'DATE' }, 'date'],
    [{ type: 'DATETIME' }, 'datetime-local'],
    [{ type: 'FILE' }, 'file'],
    [{ type: 'SECRET' }, 'password'],
    [{ type: 'BOOLEAN' }, 'select-one'],
    [{ type: 'SELECT', values: ['a'] }, 'select-one'],
    [{ type: 'SELECT', values: ['a'], allowCustomValue: true }, 'text'],
    [{ type: 'MULTISELECT', values: ['a'] }, 'select-multiple'],
    [{ type: 'JSON' }, 'textarea'],
    [{ type: 'UNHEARD_OF' }, 'text']
  ])('has a fitting control for %j', (input, type) => {
    expect(make({ id: 'a', ...input }).control('a').type).toBe(type);
  });

  it('sends what was filled in, and leaves the rest to the defaults', () => {
    const { form, control } = make(
      { id: 'name', type: 'STRING', defaults: 'World' },
      { id: 'count', type: 'INT', required: false },
      { id: 'when', type: 'STRING', defaults: '{{ now() }}' },
      { id: 'many', type: 'MULTISELECT', values: ['a', 'b'], defaults: ['b'] },
      { id: 'data', type: 'JSON', defaults: { a: 1 } },
      { id: 'flag', type: 'BOOLEAN', defaults: true }
    );
    expect(control('count').required).toBe(false);
    expect(Object.fromEntries(form.data())).toEqual({
      name: 'World',
      many: '["b"]',
      data: '{\n  "a": 1\n}',
      flag: 'true'
    });
  });

  it('asks for required inputs without a default', () => {
    const { form, control } = make({ id: 'a', type: 'STRING' });
    expect(form.check()).toBe(false);
    control('a').value = 'x';
    expect(form.check()).toBe(true);
  });

  it('sends instants in UTC', () => {
    const { form } = make({ id: 'a', type: 'DATETIME', defaults: '2026-01-02T03:04:05Z' });
    expect(form.data().get('a')).toBe('2026-01-02T03:04:05.000Z');
  });
});

describe('the log', () => {
  const entry = (message: string, level = 'INFO') =>
    guards.logEntry({ message, level, timestamp: '2026-01-01T00:00:00Z' }) as LogEntry;
  const lines = (log: LogList) => [...log.node.querySelectorAll('.jp-nbflow-log-message')];

  it('shows the end, and more on demand', () => {
    const log = new LogList(trans);
    const all = Array.from({ length: 1200 }, (_, i) => entry(`line ${i}`));
    log.update(all);
    expect(lines(log)).toHaveLength(500);
    expect(lines(log).at(-1)?.textContent).toBe('line 1199');
    log.node.querySelector<HTMLButtonElement>('.jp-nbflow-button')?.click();
    expect(lines(log)).toHaveLength(1200);
  });

  it('appends without drawing anew', () => {
    const log = new LogList(trans);
    log.update([entry('a'), entry('b')]);
    const [first] = lines(log);
    log.update([entry('a'), entry('b'), entry('c')]);
    expect(lines(log)[0]).toBe(first);
    expect(lines(log)).toHaveLength(3);
    log.update([entry('other')]);
    expect(lines(log).map(line => line.textContent)).toEqual(['other']);
  });

  it('takes a list that grows in place', () => {
    const log = new LogList(trans);
    const entries = [entry('a')];
    log.update(entries);
    entries.push(entry('b'));
    log.update(entries);
    expect(lines(log)).toHaveLength(2);
  });

  it('filters by level and text', () => {
    const log = new LogList(trans);
    log.update([entry('quiet', 'DEBUG'), entry('loud', 'ERROR'), entry('odd', 'STRANGE')]);
    const level = log.node.querySelector('select') as HTMLSelectElement;
    level.value = 'WARN';
    level.dispatchEvent(new Event('change'));
    expect(lines(log).map(line => line.textContent)).toEqual(['loud']);
  });

  it('is text, whatever it holds', () => {
    const log = new LogList(trans);
    log.update([entry(EVIL)]);
    expect(log.node.querySelector('img')).toBeNull();
  });
});

describe('the Gantt chart', () => {
  it('draws one rectangle a task run and one an attempt, names as text', () => {
    const state = { current: 'SUCCESS', startDate: '2026-01-01T00:00:00Z' };
    const attempts = [{ state }, { state }];
    const taskRunList = [
      { id: 'a', taskId: EVIL, state, attempts },
      { id: 'b', state }
    ];
    const gantt = new Gantt(trans);
    gantt.update(guards.execution({ id: 'x', state, taskRunList }) as Execution, Date.now());
    expect(gantt.node.querySelectorAll('rect')).toHaveLength(4);
    expect(gantt.node.querySelector('img')).toBeNull();
    expect(gantt.node.querySelector('title')?.textContent).toContain('2 attempts');
  });

  it('draws long ones in portions', () => {
    const taskRunList = Array.from({ length: 450 }, (_, i) => ({ id: `t${i}`, state: {} }));
    const gantt = new Gantt(trans);
    gantt.update(guards.execution({ id: 'x', taskRunList }) as Execution, 0);
    expect(gantt.node.querySelectorAll('rect')).toHaveLength(200);
    gantt.node.querySelector('button')?.click();
    expect(gantt.node.querySelectorAll('rect')).toHaveLength(450);
  });
});

describe('the JSON tree', () => {
  const make = (value: JsonObject) => {
    const tree = new JsonTree('Nothing.');
    tree.update(value);
    return tree;
  };

  it('shows every kind of value as text', () => {
    const { node } = make({ a: EVIL, b: [1, null], c: {}, d: { e: { f: true } } });
    expect(node.querySelector('img')).toBeNull();
    expect(node.textContent).toContain('b[2]');
    expect(node.textContent).toContain('c{ }');
    expect(node.textContent).toContain('e{1}');
    expect(node.textContent).not.toContain('true'); // folded, not built yet
    expect(make({}).node.textContent).toBe('Nothing.');
  });

  it('comes in portions', () => {
    const { node } = make({ list: Array.from({ length: 250 }, (_, i) => i) });
    expect(node.querySelectorAll('.jp-nbflow-json-leaf')).toHaveLength(100);
    node.querySelector('button')?.click();
    expect(node.querySelectorAll('.jp-nbflow-json-leaf')).toHaveLength(200);
    const many = make(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`k${i}`, i])));
    expect(many.node.querySelectorAll('.jp-nbflow-json-leaf')).toHaveLength(100);
    many.node.querySelector('button')?.click();
    expect(many.node.querySelectorAll('.jp-nbflow-json-leaf')).toHaveLength(150);
  });

  it('leaves alone what did not change', () => {
    const tree = make({ a: { x: 1 }, b: { y: 1 } });
    const [a, b] = tree.node.children;
    tree.update({ a: { x: 1 }, b: { y: 2 }, c: 3 });
    expect(tree.node.children[0]).toBe(a);
    expect(tree.node.children[1]).not.toBe(b);
    expect(tree.node.children).toHaveLength(3);
  });
});
