import type { ServerResponse } from 'node:http';
import type { Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import type { OpenStream } from '../sessions/open-streams.js';
import type { AnsweredHere } from './answered-here.js';
import { ClientStream } from './client-stream.js';
import { chosen } from './identify.js';
import { stillAllowed } from './still-allowed.js';

const LIST_CHANGED = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }));
/** The client comes back at once, and then listens to the server itself. */
const COME_BACK_MS = 100;

/**
 * Holds the stream of a client that waits for its person to connect an account; when that is done tells it
 * to list the tools anew and ends, so that its next stream is the server's. Refuses with `too_many_streams`.
 */
export async function waitForIdentity(here: AnsweredHere, response: ServerResponse, edge: Edge): Promise<void> {
  const { draft } = here.resolved.caller.received;
  const waiting = new Waiting(here, response, edge);
  edge.streams.open(waiting);
  waiting.begin();
  edge.metrics.streams.set(edge.streams.size);
  const cut = await waiting.over;
  edge.streams.closed(waiting);
  edge.metrics.streams.set(edge.streams.size);
  draft.bytesOut = waiting.stream.bytes;
  draft.events = waiting.stream.events;
  draft.mark('respond');
  if (cut !== undefined) draft.close({ status: 'refused', code: cut.code, httpStatus: 200 });
  else draft.close({ status: waiting.stream.gone ? 'cancelled' : 'ok', httpStatus: 200 });
}

class Waiting implements OpenStream {
  readonly endless = true;
  readonly callerId: string;
  readonly stream: ClientStream;
  readonly over: Promise<Refusal | undefined>;
  #end!: (cut: Refusal | undefined) => void;
  #told = false;

  constructor(
    private readonly here: AnsweredHere,
    private readonly response: ServerResponse,
    private readonly edge: Edge,
  ) {
    this.callerId = here.resolved.caller.who.account.id;
    this.stream = new ClientStream(response);
    this.over = new Promise((resolve) => {
      this.#end = (cut) => {
        this.stream.end();
        resolve(cut);
      };
    });
  }

  /** Sends the head, and looks once: the account may have come in between. */
  begin(): void {
    this.stream.open(undefined);
    this.response.once('close', () => this.#end(undefined));
    this.reviewed();
  }

  stillAllowed(): boolean {
    return stillAllowed(this.here.resolved, this.edge);
  }

  cut(refusal: Refusal): void {
    this.#end(refusal);
  }

  reviewed(): void {
    const { outcome } = chosen(this.here.authorized, this.edge);
    if (this.#told || outcome === 'missing' || outcome === 'dead') return;
    this.#told = true;
    void this.stream.send({ data: LIST_CHANGED, retry: COME_BACK_MS }).then(() => this.#end(undefined));
  }
}
