import { request } from 'node:http';
import { SseParser } from '@gatehouse/mcp';

/** An answer that is read message by message. */
export interface ReadStream {
  /** The next message, or the body of an answer that is no event stream; fails after five seconds without one. */
  next(): Promise<any>;
  /** Hangs up. */
  close(): void;
}

const NEXT_MS = 5_000;

/** Opens a stream of an edge: a GET, or a POST when there is a body. `early` does not wait for the head of the answer. */
export async function openStream(port: number, path: string, headers: Record<string, string>, body?: string, early = false): Promise<ReadStream> {
  const messages: unknown[] = [];
  let wake = (): void => undefined;
  const take = (message: unknown): void => {
    messages.push(message);
    wake();
  };
  const given = { host: 'gatehouse.test', accept: body === undefined ? 'text/event-stream' : 'application/json, text/event-stream', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
  const call = request({ host: '127.0.0.1', port, path, method: body === undefined ? 'GET' : 'POST', headers: given, agent: false });
  const began = new Promise<void>((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (answer) => {
      resolve();
      const parser = new SseParser({ maxEventBytes: 8 * 1024 * 1024 });
      const isStream = answer.headers['content-type'] === 'text/event-stream';
      answer.on('error', () => undefined);
      answer.on('data', (chunk: Buffer) => {
        if (isStream) for (const { data } of parser.push(chunk)) take(JSON.parse(data.toString('utf8')));
        else take(JSON.parse(chunk.toString('utf8')));
      });
    });
  });
  call.end(body);
  if (early) began.catch(() => undefined);
  else await began;
  return {
    close: () => void call.destroy(),
    next: async () => {
      const until = Date.now() + NEXT_MS;
      while (messages.length === 0) {
        if (Date.now() > until) throw new Error('no message in 5 s');
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 50);
        });
      }
      return messages.shift();
    },
  };
}
