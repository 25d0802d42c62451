import type { Writable } from 'node:stream';
import type { RawExchange, RawHandler } from '../raw-upstream.js';

/**
 * What a gateway makes of it. `refused`: the client gets an error and nothing of the answer.
 * `cut`: bytes may have been passed on, then the stream ends with an error. `cleaned`: the client
 * gets the honest answer without the hostile part. `passed`: strange but allowed. `disowned`: it refused
 * the credential, so whoever owns that is asked to connect it again.
 */
export type HostileOutcome = 'refused' | 'cut' | 'cleaned' | 'passed' | 'disowned';

/** One way in which an upstream attacks or breaks, named by what it does. */
export interface HostileAnswer {
  name: string;
  /** Test cases of the threat model that it stands for. */
  covers: string;
  /** The request that is answered so. */
  on: 'initialize' | 'tools/call';
  outcome: HostileOutcome;
  answer: RawHandler;
}

/** An entry about `tools/call`. */
export function onCall(covers: string, outcome: HostileOutcome, name: string, answer: RawHandler): HostileAnswer {
  return { name, covers, on: 'tools/call', outcome, answer };
}

/** An entry about `initialize`. */
export function onInitialize(covers: string, outcome: HostileOutcome, name: string, answer: RawHandler): HostileAnswer {
  return { name, covers, on: 'initialize', outcome, answer };
}

/** Answers 200 with this text as JSON. */
export function json({ response }: RawExchange, body: string | Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

/** Answers 200 with these bytes as an event stream, and ends it. */
export function sse({ response }: RawExchange, body: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);
}

/** One event of one message. */
export function event(message: unknown): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** Writes these bytes to the socket behind Node.js's back and hangs up. */
export function rawAnswer({ socket }: RawExchange, bytes: string): void {
  socket.end(Buffer.from(bytes, 'latin1'));
}

const POUR_BYTES = 16_384;

/** Writes the text over and over for as long as the other side reads, without starving the process it shares. */
export function pour(target: Writable, text: string): void {
  const batch = Buffer.from(text.repeat(Math.ceil(POUR_BYTES / text.length)), 'latin1');
  const write = (): void => {
    if (target.destroyed) return;
    if (target.write(batch)) setImmediate(write);
    else target.once('drain', () => setImmediate(write));
  };
  write();
}
