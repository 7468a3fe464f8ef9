/** Schema and plugin list for the editor, fetched on first need; a failure is forgotten after a while. */

import { isObject } from '../api/guards';
import type { PluginTypes } from '../api/types';
import type { Knowledge } from '../yaml/complete';
import { SchemaReader } from '../yaml/schema';

/** What this needs of the client. */
export interface KnowledgeSource {
  schema(): Promise<unknown>;
  plugins(): Promise<PluginTypes>;
}

export class EditorKnowledge {
  constructor(
    private readonly _source: KnowledgeSource,
    private readonly _patience = 10_000
  ) {}

  get(): Promise<Knowledge> {
    this._known ??= this._fetch();
    return this._known;
  }

  /** For the next question: plugins may have been installed. */
  forget(): void {
    this._known = undefined;
  }

  private async _fetch(): Promise<Knowledge> {
    const [schema, types] = await Promise.allSettled([
      this._source.schema(),
      this._source.plugins()
    ]);
    const root = schema.status === 'fulfilled' && isObject(schema.value) ? schema.value : undefined;
    if (!root) {
      setTimeout(() => this.forget(), this._patience);
    }
    return {
      schema: root && new SchemaReader(root),
      types: types.status === 'fulfilled' ? types.value : undefined
    };
  }

  private _known: Promise<Knowledge> | undefined;
}
