/** Server-sent events out of a fetch response: bytes to events, no reconnecting. */

export interface ServerEvent {
  id: string;
  data: string;
}

/** Splits a growing text into events; keeps what is not complete yet. */
export class EventParser {
  push(chunk: string): ServerEvent[] {
    const text = this._rest + chunk;
    const held = text.endsWith('\r') ? '\r' : ''; // its line feed may be in the next chunk
    const lines = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n');
    const blocks = lines.split('\n\n');
    this._rest = (blocks.pop() ?? '') + held;
    return blocks.map(parseBlock).filter(event => event.data !== '');
  }

  private _rest = '';
}

function parseBlock(block: string): ServerEvent {
  const event: ServerEvent = { id: '', data: '' };
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') {
      event.id = value;
    } else if (field === 'data') {
      data.push(value);
    }
  }
  event.data = data.join('\n');
  return event;
}

export async function* readEvents(
  body: ReadableStream<Uint8Array>
): AsyncGenerator<ServerEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
