import { describe, expect, it } from 'vitest';

import { completeExpression } from '../../yaml/expressions';

const FLOW = `id: a
inputs:
  - id: name
    type: STRING
  - id: two-words
variables:
  bucket: b
labels:
  team: data
tasks:
  - id: first
    type: log
  - id: nest
    type: if
    then:
      - id: inner
        type: log
triggers:
  - id: daily
errors:
  - id: alarm
`;

function at(expression: string) {
  const text = `${FLOW}description: "${expression}`;
  const offset = text.indexOf('|||');
  const found = completeExpression(text.replace('|||', ''), offset);
  return found && { ...found, labels: found.items.map(item => item.label) };
}

describe('names in expressions', () => {
  it.each([
    ['{{ outputs.||| }}', ['first', 'nest', 'inner', 'alarm']],
    ['{{ inputs.n||| }}', ['name']],
    ['{{ vars.|||', ['bucket']],
    ['{{ labels.||| }}', ['team']],
    ["{{ inputs['||| }}", ['name', 'two-words']],
    ['{{ flow.|||', ['id', 'namespace', 'revision', 'tenantId']],
    ['{% if inputs.||| %}', ['name']],
    ['{{ a }} {{ inputs.|||', ['name']]
  ])('%s', (expression, labels) => {
    expect(at(expression)?.labels).toEqual(labels);
  });

  it('begin with the variables and functions of Kestra', () => {
    const labels = at('{{ ou||| }}')?.labels;
    expect(labels).toEqual(expect.arrayContaining(['outputs', 'inputs', 'taskrun', 'now()']));
  });

  it('come in brackets when they hold a hyphen', () => {
    expect(at('{{ |||')?.labels).toContain("inputs['two-words']");
  });

  it('are filters behind a pipe', () => {
    expect(at('{{ inputs.name | up||| }}')?.labels).toContain('upper');
    expect(at('{{ inputs.name | up||| }}')?.labels).not.toContain('outputs');
  });

  it('are none in a string', () => {
    expect(at("{{ 'out||| ' }}")?.labels).toEqual([]);
  });

  it('are not offered outside', () => {
    expect(at('outputs.|||')).toBeUndefined();
    expect(at('{{ a }} outputs.|||')).toBeUndefined();
  });

  it('replace the whole name', () => {
    const found = at('{{ inputs.na|||me }}');
    expect(found && found.end - found.start).toBe(4);
  });
});
