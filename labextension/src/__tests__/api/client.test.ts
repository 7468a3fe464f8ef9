import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import { ApiError, Client, MISSING_EXTENSION } from '../../api/client';

/** A client whose server gives one answer; what was asked is kept. */
function clientWith(answer: () => Response) {
  const asked: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://here/base/',
    token: 'secret',
    fetch: async request => {
      asked.push(request as Request);
      return answer();
    }
  });
  return { client: new Client(settings), asked };
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });

describe('client', () => {
  it('asks below the base URL, with the token, every segment encoded', async () => {
    const { client, asked } = clientWith(() => json({ id: 'f', namespace: 'a/b' }));
    await client.flow('a/b', 'c d');
    const url = new URL(asked[0]?.url ?? '');
    expect(url.pathname).toBe('/base/api/v1/flows/a%2Fb/c%20d');
    expect(url.searchParams.get('source')).toBe('true');
    expect(asked[0]?.headers.get('Authorization')).toBe('token secret');
  });

  it('posts sources as YAML and inputs as multipart', async () => {
    const { client, asked } = clientWith(() => json({ id: 'x' }));
    await client.validate('id: a').catch(() => undefined);
    expect(asked[0]?.headers.get('Content-Type')).toBe('application/x-yaml');
    await client.run('n', 'f', new FormData());
    expect(asked[1]?.headers.get('Content-Type')).toMatch(/^multipart\/form-data; boundary=/);
  });

  it('passes on what the server says', async () => {
    const { client } = clientWith(() => json({ message: 'no such flow', _links: {} }, 404));
    await expect(client.flow('a', 'b')).rejects.toThrow('no such flow');
  });

  it.each([json({ message: 'Not Found' }, 404), new Response('<html>', { status: 404 })])(
    'says in one line that the server extension is missing',
    async answer => {
      const { client } = clientWith(() => answer);
      await expect(client.flows()).rejects.toThrow(MISSING_EXTENSION);
    }
  );

  it('says so when nobody answers', async () => {
    const { client } = clientWith(() => {
      throw new TypeError('refused');
    });
    await expect(client.flows()).rejects.toEqual(
      new ApiError('The Jupyter server does not answer.', 0)
    );
  });
});
