/** The one place that talks to the server. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import * as guards from './guards';
import { readEvents } from './stream';
import * as timeguards from './timeguards';
import type {
  Action,
  Backfill,
  BackfillMove,
  Execution,
  Flow,
  LogEntry,
  Page,
  PluginTypes,
  Problem,
  SchedulerStatus,
  Trigger,
  TriggerKey
} from './types';

/** What the server refused or could not do; `status` 0: it did not answer at all. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number
  ) {
    super(message);
  }
}

/** No nbflow behind `api/v1`: the server extension is not installed or not enabled. */
export const MISSING_EXTENSION =
  'This Jupyter server has no nbflow extension. Run `jupyter server extension enable nbflow` in its environment and restart the server.';

type Query = Record<string, string | number | boolean>;

export class Client {
  constructor(readonly settings = ServerConnection.makeSettings()) {}

  flows = async (): Promise<Page<Flow>> =>
    guards.page(await this._json('flows/search', { page: 1, size: 500 }), guards.flow);

  async flow(namespace: string, id: string): Promise<Flow> {
    const answer = await this._json(path`flows/${namespace}/${id}`, { source: true });
    return found(guards.flow(answer), `flow ${namespace}.${id}`);
  }

  executions = async (size: number): Promise<Page<Execution>> =>
    guards.page(
      await this._json('executions/search', { page: 1, size, sort: 'state.startDate:desc' }),
      guards.execution
    );

  async execution(id: string): Promise<Execution> {
    return found(guards.execution(await this._json(path`executions/${id}`)), `execution ${id}`);
  }

  async run(namespace: string, id: string, inputs: FormData): Promise<Execution> {
    const init = { method: 'POST', body: inputs };
    const answer = await this._json(path`executions/${namespace}/${id}`, {}, init);
    return found(guards.execution(answer), 'new execution');
  }

  async kill(id: string): Promise<void> {
    await this._send(path`executions/${id}/actions/kill`, {}, { method: 'DELETE' });
  }

  async act(id: string, action: Action): Promise<Execution> {
    if (action === 'kill') {
      await this.kill(id);
      return this.execution(id);
    }
    const answer = await this._json(
      path`executions/${id}/actions/${action}`,
      {},
      { method: 'POST' }
    );
    return found(guards.execution(answer), `execution ${id}`);
  }

  logs = async (id: string): Promise<LogEntry[]> =>
    guards.list(await this._json(path`logs/${id}`), guards.logEntry);

  async *followExecution(id: string, signal: AbortSignal): AsyncGenerator<Execution> {
    yield* this._follow(path`executions/${id}/follow`, guards.execution, signal);
  }

  async *followLogs(id: string, signal: AbortSignal): AsyncGenerator<LogEntry> {
    yield* this._follow(path`logs/${id}/follow`, guards.logEntry, signal);
  }

  scheduler = async (): Promise<SchedulerStatus> =>
    found(timeguards.scheduler(await this._json('scheduler')), 'scheduler');

  triggers = async (): Promise<Trigger[]> =>
    guards.page(
      await this._json('triggers/search', { page: 1, size: 200, sort: 'nextExecutionDate:asc' }),
      timeguards.trigger
    ).results;

  /** Those that go on, and the newest of those that are over. */
  backfills = async (): Promise<Backfill[]> =>
    guards.page(await this._json('backfills'), timeguards.backfill).results;

  async switchTrigger(key: TriggerKey, disabled: boolean): Promise<void> {
    await this._put('triggers/set-disabled', { ...names(key), disabled });
  }

  /** Backfills are moved by their trigger: it has one at a time. */
  async moveBackfill(key: TriggerKey, move: BackfillMove): Promise<void> {
    await this._put(`triggers/backfill/${move}`, names(key), move === 'delete' ? 'POST' : 'PUT');
  }

  /** The text of a stored file that belongs to an execution. */
  async file(id: string, uri: string): Promise<string> {
    return (await this._send(path`executions/${id}/file`, { path: uri }, {})).text();
  }

  async validate(source: string): Promise<Problem[]> {
    const headers = { 'Content-Type': 'application/x-yaml' };
    const init = { method: 'POST', body: source, headers };
    return guards.problems(await this._json('flows/validate', {}, init));
  }

  schema = (): Promise<unknown> => this._json('plugins/schemas/flow');

  plugins = async (): Promise<PluginTypes> => guards.pluginTypes(await this._json('plugins'));

  private async *_follow<T>(
    route: string,
    guard: (value: unknown) => T | undefined,
    signal: AbortSignal
  ): AsyncGenerator<T> {
    const response = await this._send(route, {}, { signal });
    if (response.body === null) {
      return;
    }
    for await (const event of readEvents(response.body)) {
      const item = guard(parse(event.data));
      if (item !== undefined) {
        yield item;
      }
    }
  }

  private async _put(route: string, body: object, method = 'PUT'): Promise<void> {
    const headers = { 'Content-Type': 'application/json' };
    await this._send(route, {}, { method, body: JSON.stringify(body), headers });
  }

  private async _json(route: string, query: Query = {}, init: RequestInit = {}): Promise<unknown> {
    return parse(await (await this._send(route, query, init)).text());
  }

  private async _send(route: string, query: Query, init: RequestInit): Promise<Response> {
    const pairs = Object.entries(query).map(([key, value]) => [key, String(value)]);
    const search = pairs.length ? `?${new URLSearchParams(pairs)}` : '';
    const url = URLExt.join(this.settings.baseUrl, 'api/v1', route) + search;
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw new ApiError('The Jupyter server does not answer.', 0);
    }
    if (!response.ok) {
      throw new ApiError(await refusal(response), response.status);
    }
    return response;
  }
}

/** Joins path segments, each percent-encoded. */
function path(fixed: TemplateStringsArray, ...segments: string[]): string {
  return fixed.reduce((all, part, i) => all + encodeURIComponent(segments[i - 1] ?? '') + part);
}

/** The names alone: rows know more than the server takes. */
function names({ namespace, flowId, triggerId }: TriggerKey): TriggerKey {
  return { namespace, flowId, triggerId };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new ApiError(`The server's answer holds no ${what}.`, 0);
  }
  return value;
}

/** The server's own words where it has some. */
async function refusal(response: Response): Promise<string> {
  const body = parse(await response.text());
  const fields = guards.isObject(body) ? body : {};
  const message = guards.text(fields.message) ?? guards.text(fields.detail);
  if (
    response.status === 404 &&
    (body === undefined || !('_links' in fields || 'type' in fields))
  ) {
    return MISSING_EXTENSION;
  }
  return message || `The server answered ${response.status} ${response.statusText}.`;
}
