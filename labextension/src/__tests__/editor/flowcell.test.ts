import { diagnosticCount, forceLinting } from '@codemirror/lint';
import { language } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Problem } from '../../api/types';
import { FlowCompletions } from '../../editor/completions';
import { flowCell } from '../../editor/flowcell';
import { SchemaReader } from '../../yaml/schema';
import { schema } from '../yaml/flow.schema';

const PROBLEM: Problem = {
  message: 'no',
  hint: '',
  path: '',
  severity: 'error',
  line: 2,
  column: 1,
  length: 2
};

describe('the editor of a cell', () => {
  let view: EditorView;
  const validate = vi.fn<(source: string) => Promise<Problem[]>>(async () => [PROBLEM]);
  const open = (doc: string) => {
    const services = { validate, knowledge: async () => ({ schema: new SchemaReader(schema) }) };
    view = new EditorView({ doc, extensions: flowCell(services), parent: document.body });
  };
  const mode = () => view.state.facet(language)?.name;

  afterEach(() => {
    view.destroy();
    validate.mockClear();
  });

  it('is YAML from the beginning', async () => {
    open('%%flow\nid: a');
    await vi.waitFor(() => expect(mode()).toBe('yaml'));
  });

  it('becomes YAML and Python again as the first line changes', async () => {
    open('flow\nid: a');
    await Promise.resolve();
    expect(mode()).toBeUndefined();
    view.dispatch({ changes: { from: 0, insert: '%%' } });
    await vi.waitFor(() => expect(mode()).toBe('yaml'));
    view.dispatch({ changes: { from: 0, to: 2 } });
    await vi.waitFor(() => expect(mode()).toBeUndefined());
  });

  it('posts the text below the magic and marks what comes back', async () => {
    open('%%flow --run\nid: a');
    await vi.waitFor(() => expect(mode()).toBe('yaml'));
    forceLinting(view);
    await vi.waitFor(() => expect(diagnosticCount(view.state)).toBe(1));
    expect(validate).toHaveBeenCalledWith('\nid: a');
  });

  it('does not post an empty flow, and survives a server that fails', async () => {
    open('%%flow\n');
    await vi.waitFor(() => expect(mode()).toBe('yaml'));
    forceLinting(view);
    await Promise.resolve();
    expect(validate).not.toHaveBeenCalled();
    validate.mockRejectedValueOnce(new Error('gone'));
    view.dispatch({ changes: { from: 7, insert: 'id: a' } });
    forceLinting(view);
    await vi.waitFor(() => expect(validate).toHaveBeenCalled());
    expect(diagnosticCount(view.state)).toBe(0);
  });
});

describe('completion in cells', () => {
  const provider = new FlowCompletions(async () => ({ schema: new SchemaReader(schema) }));

  it('counts in Unicode characters', async () => {
    const text = '%%flow 😀\ndescription: 😀\nname';
    const reply = await provider.fetch({ text, offset: [...text].length });
    expect([...text].slice(reply.start, reply.end).join('')).toBe('name');
    expect(reply.items.map(item => item.label)).toContain('namespace');
  });

  it('holds what was typed, beginnings first', async () => {
    const items = async (text: string) =>
      (await provider.fetch({ text, offset: text.length })).items.map(item => item.label);
    expect(await items('%%flow\nna')).toEqual(['namespace']);
    expect(await items('%%flow\ntasks:\n  - type: LOG')).toEqual([
      'log',
      'io.kestra.plugin.core.log.Log',
      'io.kestra.core.tasks.log.Log'
    ]);
    expect(await items('%%flow\ntasks:\n  ty')).toEqual(['- type']);
  });

  it('leaves the magic line to the kernel', async () => {
    const reply = await provider.fetch({ text: '%%flow --r', offset: 10 });
    expect(reply.items).toEqual([]);
  });
});
