import { describe, expect, it } from 'vitest';

import * as guards from '../../api/guards';

const ODD = [undefined, null, 1, 'x', [], {}, { results: 3 }, { id: {}, state: [] }];

describe('guards', () => {
  it.each(ODD)('never throw: %j', value => {
    guards.flow(value);
    guards.execution(value);
    guards.logEntry(value);
    expect(guards.page(value, guards.flow).results).toEqual([]);
    expect(guards.problems(value)).toEqual([]);
    expect(guards.pluginTypes(value)).toEqual({ tasks: [], triggers: [] });
  });

  it('read an execution', () => {
    const found = guards.execution({
      id: 'x',
      namespace: 'a.b',
      flowId: 'f',
      labels: [{ key: 'n', value: 1 }, 3],
      state: {
        current: 'RUNNING',
        startDate: '2026-01-01T00:00:00.500Z',
        histories: [{ state: 'CREATED', date: '2026-01-01T00:00:00Z' }, { state: 'X' }]
      },
      taskRunList: [{ id: 't', taskId: 'a', state: { current: 'FAILED' }, attempts: [{}, null] }, 7]
    });
    expect(found).toMatchObject({ labels: [{ key: 'n', value: '1' }], outputs: {} });
    expect(found?.state).toMatchObject({ current: 'RUNNING', start: 1767225600500 });
    expect(found?.state.histories).toHaveLength(1);
    expect(found?.taskRuns).toHaveLength(1);
    expect(found?.taskRuns[0]?.attempts).toHaveLength(1);
  });

  it('read labels given as a map, and inputs with old names', () => {
    const found = guards.flow({
      id: 'f',
      namespace: 'n',
      labels: { team: 'x' },
      inputs: [{ name: 'old', type: 'select', options: ['a', 2] }, { type: 'STRING' }]
    });
    expect(found?.labels).toEqual([{ key: 'team', value: 'x' }]);
    expect(found?.inputs).toMatchObject([{ id: 'old', type: 'SELECT', values: ['a', '2'] }]);
  });

  it('take problems, or the plain text of Kestra', () => {
    const problem = { message: 'm', line: 2, column: 3, length: 4, severity: 'warning' };
    expect(guards.problems([{ index: 0, constraints: 'c', problems: [problem] }])).toMatchObject([
      { message: 'm', line: 2, severity: 'warning', hint: '' }
    ]);
    expect(guards.problems([{ constraints: 'bad flow' }])).toMatchObject([
      { message: 'bad flow', line: 1, column: 1, severity: 'error' }
    ]);
    expect(guards.problems([{ index: 0 }])).toEqual([]);
  });

  it('list the classes of plugins', () => {
    const plugins = [{ tasks: [{ cls: 'a.B' }, 'c.D'], triggers: [{ cls: 't' }] }];
    expect(guards.pluginTypes({ results: plugins })).toEqual({
      tasks: ['a.B', 'c.D'],
      triggers: ['t']
    });
  });
});
