import { randomBytes } from 'node:crypto';
import type { JsonValue } from '@gatehouse/kernel';
import type { McpNotification, McpRequest, RequestId } from '@gatehouse/mcp';

const REMEMBERED = 256;

/**
 * Requests of one server session to the client, under names of ours: one client session may have a connection
 * on each edge, whose servers all count from the same number, and an answer must reach the one that asked.
 */
export class Questions {
  readonly #tag = `sse-${randomBytes(12).toString('base64url')}`;
  readonly #asked = new Map<string, RequestId>();
  #count = 0;

  /** The request under its name; `note` hears of both before it goes out. */
  named(question: McpRequest, note: (name: string, id: RequestId) => void): Buffer {
    const name = `${this.#tag}-${(this.#count += 1)}`;
    if (this.#asked.size >= REMEMBERED) this.#asked.delete(this.#asked.keys().next().value!);
    this.#asked.set(name, question.id);
    note(name, question.id);
    return bytesOf(question, { id: name, params: question.params });
  }

  /** A server's word that it takes a request back, with the name the client knows; undefined for one that was never asked. */
  cancelled({ method, params }: McpNotification): Buffer | undefined {
    for (const [name, id] of this.#asked) if (id === params?.['requestId']) return bytesOf({ method }, { params: { ...params, requestId: name } });
    return undefined;
  }

  /** The server's own id of a request, once. */
  take(name: RequestId): RequestId | undefined {
    const id = this.#asked.get(String(name));
    this.#asked.delete(String(name));
    return id;
  }
}

function bytesOf({ method }: { method: string }, members: Record<string, JsonValue | undefined>): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, ...members }));
}
