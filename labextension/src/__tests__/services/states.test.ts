/** What may be asked of an execution in each state. */

import { describe, expect, it } from 'vitest';

import { actionsFor } from '../../services/states';

describe('actionsFor', () => {
  it.each([
    ['RUNNING', ['pause', 'kill']],
    ['PAUSED', ['resume', 'kill']],
    ['QUEUED', ['force-run', 'kill']],
    ['CREATED', ['kill']],
    ['KILLING', []],
    ['FAILED', ['restart', 'replay']],
    ['SUCCESS', ['replay']]
  ])('offers what %s allows', (state, expected) => {
    expect(actionsFor(state)).toEqual(expected);
  });
});
