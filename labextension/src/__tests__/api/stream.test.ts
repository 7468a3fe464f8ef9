import { describe, expect, it } from 'vitest';

import { EventParser, readEvents } from '../../api/stream';

describe('server-sent events', () => {
  it('come out whole however they were cut', () => {
    const text = 'id: progress\ndata: {"a":1}\n\n: ping\n\nid: end\r\ndata: {\r\ndata: }\r\n\r\n';
    for (const size of [1, 3, 7, 100]) {
      const parser = new EventParser();
      const found = [];
      for (let at = 0; at < text.length; at += size) {
        found.push(...parser.push(text.slice(at, at + size)));
      }
      expect(found).toEqual([
        { id: 'progress', data: '{"a":1}' },
        { id: 'end', data: '{\n}' }
      ]);
    }
  });

  it('survive a character cut in two', async () => {
    const bytes = new TextEncoder().encode('data: ü\n\n');
    const body = new ReadableStream<Uint8Array>({
      start: control => {
        control.enqueue(bytes.slice(0, 7));
        control.enqueue(bytes.slice(7));
        control.close();
      }
    });
    const found = [];
    for await (const event of readEvents(body)) {
      found.push(event.data);
    }
    expect(found).toEqual(['ü']);
  });
});
