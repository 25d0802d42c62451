import { asRefusalOrFault, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { McpResponse, RequestId } from '@gatehouse/mcp';
import type { Armed } from '../pipeline/credential.js';
import type { Answer } from '../pipeline/exchange.js';
import type { SseWorld } from './connection-opening.js';
import { headersOf } from './outgoing.js';
import type { SseSession } from './sse-session.js';

const ANSWER_BYTES = 64 * 1024;
const GONE = 404;
const LOST = new Refusal('upstream_unreachable', { reason: 'session_lost' });

/** Answers to servers' requests: only the server session that asked may have one; its connection may be another edge's. */
export class ClientAnswers {
  constructor(private readonly world: SseWorld) {}

  /** Takes the client's answer where it belongs; refuses with `upstream_unreachable` {reason: session_lost}. */
  async deliver(armed: Armed, { id: name, result, error }: McpResponse, session: SseSession | undefined): Promise<Answer> {
    const [own, elsewhere] = [session?.asked(name), await this.world.asked.take(name)];
    const id = own ?? elsewhere?.id;
    if (id === undefined) throw LOST;
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result, error }));
    return own === undefined ? this.#post(armed, elsewhere!.endpoint, body) : session!.tell({ body, headers: headersOf(armed) });
  }

  /** Answers on the client's behalf; a server that is gone need not be answered. */
  async answerFor(armed: Armed, message: JsonObject, session: SseSession): Promise<void> {
    const id = session.asked(message['id'] as RequestId);
    if (id === undefined) return;
    const body = Buffer.from(JSON.stringify({ ...message, id }));
    await session.tell({ body, headers: headersOf(armed) }).catch((error: unknown) => asRefusalOrFault(error));
  }

  // The address may be of a time before the server moved.
  async #post(armed: Armed, endpoint: string, body: Buffer): Promise<Answer> {
    if (new URL(endpoint).origin !== armed.destination.origin) throw LOST;
    const headers = { ...headersOf(armed), accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const destination = this.world.outbound.destination(endpoint, armed.resolved.server.entry);
    const answer = await destination.fetchSmall({ method: 'POST', headers, body, maxBytes: ANSWER_BYTES, timeoutMs: this.world.patience.headMs });
    if (answer.status === GONE) throw LOST;
    return { kind: 'whole', ...answer };
  }
}
