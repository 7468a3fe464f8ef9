import { describe, expect, it } from 'vitest';

import { complete } from '../../yaml/complete';
import { SchemaReader } from '../../yaml/schema';
import { IF, LOG, SCHEDULE, schema } from './flow.schema';

const known = { schema: new SchemaReader(schema) };

/** Completes at the `|` of the text. */
function at(marked: string, knowledge: Parameters<typeof complete>[2] = known) {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const found = complete(text, offset, knowledge);
  return {
    labels: found?.items.map(item => item.label) ?? [],
    inserts: found?.items.map(item => item.insert) ?? [],
    items: found?.items ?? [],
    replaced: found && text.slice(found.start, found.end)
  };
}

describe('keys of a flow', () => {
  it('offers all of them in an empty text, id first', () => {
    const { labels } = at('|');
    expect(labels[0]).toBe('id');
    expect(labels).toEqual(expect.arrayContaining(['namespace', 'tasks', 'inputs', 'triggers']));
  });

  it('leaves out those already there, also below the caret', () => {
    const { labels } = at('id: a\n|\ntasks:\n  - id: b\n');
    expect(labels).not.toContain('id');
    expect(labels).not.toContain('tasks');
    expect(labels).toContain('namespace');
  });

  it('replaces the word being typed', () => {
    expect(at('id: a\nnames|').replaced).toBe('names');
    expect(at('id: a\nnam|es').replaced).toBe('names');
  });

  it('ends scalars with a blank and nested blocks with the colon', () => {
    const { labels, inserts } = at('|');
    expect(inserts[labels.indexOf('namespace')]).toBe('namespace: ');
    expect(inserts[labels.indexOf('tasks')]).toBe('tasks:');
  });

  it('inserts the bare key where the colon stands already', () => {
    expect(at('nam|: x').inserts).toContain('namespace');
  });

  it('begins at the top again after a list', () => {
    expect(at('tasks:\n  - id: a\n    type: log\n|').labels).toContain('triggers');
    expect(at('tasks:\n- id: a\n  type: log\n|').labels).toContain('triggers');
  });

  it('knows one document from the next', () => {
    expect(at('id: a\ntasks: []\n---\n|').labels).toContain('id');
    expect(at('|\n---\nid: a').labels).toContain('id');
  });
});

describe('keys of a task', () => {
  const head = 'id: a\ntasks:\n';

  it('are those all tasks share until there is a type', () => {
    const { labels } = at(`${head}  - |`);
    expect(labels.slice(0, 2)).toEqual(['id', 'type']);
    expect(labels).not.toContain('message');
  });

  it.each([LOG, 'log', '"log"', 'io.kestra.core.tasks.log.Log'])('follow the type %s', type => {
    const { labels } = at(`${head}  - id: b\n    type: ${type}\n    |`);
    expect(labels).toEqual(expect.arrayContaining(['message', 'level', 'retry', 'disabled']));
    expect(labels).not.toContain('condition');
    expect(labels).not.toContain('id');
  });

  it('put required ones first', () => {
    expect(at(`${head}  - id: b\n    type: if\n    |`).labels.slice(0, 2)).toEqual(
      expect.arrayContaining(['condition', 'then'])
    );
  });

  it('are found when the type comes below the caret', () => {
    expect(at(`${head}  - id: b\n    |\n    type: log\n`).labels).toContain('message');
  });

  it('are found in lists that stand at the indentation of their key', () => {
    expect(at(`${head}- id: b\n  type: log\n  |`).labels).toContain('message');
  });

  it('are found in nested tasks', () => {
    const nest = `${head}  - id: b\n    type: if\n    then:\n      - id: c\n        type: log\n        |`;
    expect(at(nest).labels).toContain('message');
    const cases = `${head}  - id: b\n    type: if\n    cases:\n      x:\n        - type: log\n          |`;
    expect(at(cases).labels).toContain('message');
  });

  it('are offered with a dash right below the key of the list', () => {
    expect(at('tasks:\n  |').inserts).toContain('- id: ');
  });

  it('are not offered for an unknown type, but the shared ones', () => {
    const { labels } = at(`${head}  - type: no.such.Type\n    |`);
    expect(labels).toContain('id');
    expect(labels).not.toContain('message');
  });

  it('include those of a union inside, by its own type', () => {
    const text = `${head}  - type: log\n    retry:\n      type: constant\n      |`;
    expect(at(text).labels).toEqual(['interval']);
  });

  it('are not offered inside block text or comments', () => {
    expect(at(`${head}  - type: log\n    message: >\n      |`).labels).toEqual([]);
    expect(
      at(`${head}  - type: log\n    message: |-x\n`.replace('|-x', '>-\n      a |')).labels
    ).toEqual([]);
    expect(at('# |').labels).toEqual([]);
    expect(at('id: a # |').labels).toEqual([]);
  });
});

describe('values', () => {
  it('of type are all tasks with their aliases', () => {
    const { items, labels, replaced } = at('tasks:\n  - type: io.kes|');
    expect(labels).toEqual(expect.arrayContaining([LOG, 'log', IF, 'if']));
    expect(labels).not.toContain(SCHEDULE);
    expect(replaced).toBe('io.kes');
    expect(items.find(item => item.label === 'log')?.documentation).toContain(`Short for ${LOG}`);
  });

  it('of type in nested tasks, errors and triggers', () => {
    expect(at('errors:\n  - type: |').labels).toContain(LOG);
    expect(at('tasks:\n  - type: if\n    then:\n      - type: |').labels).toContain(IF);
    expect(at('triggers:\n  - id: t\n    type: |').labels).toEqual([SCHEDULE, 'schedule']);
  });

  it('of type in inputs', () => {
    expect(at('inputs:\n  - id: a\n    type: |').labels).toEqual(['STRING', 'SELECT']);
  });

  it('of enums and booleans', () => {
    expect(at('tasks:\n  - type: log\n    level: |').labels).toEqual(['ERROR', 'WARN', 'INFO']);
    expect(at('disabled: t|').labels).toEqual(['true', 'false']);
  });

  it('get their blank when the colon has none', () => {
    expect(at('disabled:|').inserts).toEqual([' true', ' false']);
  });

  it('in quotes replace what is between them', () => {
    expect(at('tasks:\n  - type: "lo|g"').replaced).toBe('log');
  });

  it('of type come from the plugin list where there is no schema', () => {
    const types = { tasks: ['a.Task'], triggers: ['a.Trigger'] };
    expect(at('tasks:\n  - type: |', { types }).labels).toEqual(['a.Task']);
    expect(at('triggers:\n  - type: |', { types }).labels).toEqual(['a.Trigger']);
    expect(at('inputs:\n  - type: |', { types }).labels).toEqual([]);
  });

  it('are none for free text', () => {
    expect(at('id: |').labels).toEqual([]);
  });
});

describe('robustness', () => {
  it('answers at every position of every beginning of a flow', () => {
    const text =
      'id: a\nlabels: {x: "y"}\ninputs:\n- id: n\n  type: SELECT\n  values: [a, b]\n' +
      'tasks:\n  - id: b\n    type: log # c\n    message: |\n      {{ inputs.n }}\n\n  -\n   - x\n ? y\n\t: z';
    for (let cut = 0; cut <= text.length; cut++) {
      for (let offset = 0; offset <= cut; offset += 3) {
        expect(() => complete(text.slice(0, cut), offset, known)).not.toThrow();
      }
    }
  });

  it('survives schemas that make no sense', () => {
    const odd = [{}, { $ref: '#/nowhere' }, { properties: 3, anyOf: 'x' }, { $ref: '#' }];
    for (const schema of odd) {
      expect(at('|', { schema: new SchemaReader(schema) }).labels).toEqual([]);
    }
  });
});
