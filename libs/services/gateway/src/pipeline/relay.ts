import type { ServerResponse } from 'node:http';
import { asRefusalOrFault, Fault, Refusal } from '@gatehouse/kernel';
import { EnvelopeScanner, jsonRpcErrorBytes, SseParser, type OutgoingSseEvent } from '@gatehouse/mcp';
import type { Edge } from '../edge.js';
import { LIMITS } from '../limits.js';
import type { OpenStream } from '../sessions/open-streams.js';
import { ClientStream, drained } from './client-stream.js';
import type { Answered } from './forward.js';
import { GiveAwayWatch } from './give-away-watch.js';
import type { Cleared, Content } from './inspect.js';
import { isUpstreamFault } from './inspect.js';
import { isInitialize, type Resolved } from './resolve.js';
import { stillAllowed } from './still-allowed.js';
import type { UpstreamBody } from './upstream-body.js';

type Events = Extract<Content, { kind: 'events' }>;

/** Relays an event stream until it ends, is cut, or the client goes; closes the record with it. */
export async function relayEvents(cleared: Cleared, events: Events, response: ServerResponse, edge: Edge): Promise<void> {
  const stream = new ClientStream(response);
  await relayEventsInto(stream, cleared, events, edge);
  stream.end();
}

/** The same into a stream that others (members of a batch) write to as well. */
export async function relayEventsInto(stream: ClientStream, { resolved, answered }: Cleared, events: Events, edge: Edge): Promise<void> {
  const before = { bytes: stream.bytes, events: stream.events };
  const entry = openEntry(answered, events.body, edge);
  openOrAbort(entry, events.body, edge);
  edge.metrics.streams.set(edge.streams.size);
  const failure = (await pump(new Relay(resolved, events, stream)).then(() => undefined, asRefusalOrFault)) ?? missingAnswer(resolved, events);
  // An upstream that is not read on must not hold its connection.
  if (failure !== undefined) events.body.abort(failure);
  edge.streams.closed(entry);
  edge.metrics.streams.set(edge.streams.size);
  // Before the head is out a failure is an ordinary refusal with a status of its own.
  if (failure !== undefined && !stream.opened) throw failure;
  if (failure !== undefined && !stream.gone) await sendFailure(failure, events, resolved, stream);
  const { draft } = resolved.caller.received;
  draft.bytesOut = stream.bytes - before.bytes;
  draft.events = stream.events - before.events;
  draft.mark('respond');
  draft.close(endingOf(failure, events, stream));
}

async function pump(relay: Relay): Promise<void> {
  const { body } = relay.events;
  if (!relay.waitsForAnswer && !relay.stream.opened) relay.stream.open(undefined);
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) await relay.push(chunk);
}

function openOrAbort(entry: OpenStream, body: UpstreamBody, edge: Edge): void {
  try {
    edge.streams.open(entry);
  } catch (error) {
    body.abort(asRefusalOrFault(error));
    throw error;
  }
}

const HELD_EVENTS = 256;

/** What passes from one upstream stream to one client stream. */
class Relay {
  readonly #parser = new SseParser({ maxEventBytes: LIMITS.eventBytes });
  readonly #held: OutgoingSseEvent[] = [];
  readonly #isEndless: boolean;
  #bytes = 0;
  #events = 0;
  #silentBytes = 0;
  #retryTold: number | undefined;
  /** The head of an initialize answer carries the session id, which the answer itself decides. */
  readonly waitsForAnswer: boolean;

  constructor(
    { intent }: Resolved,
    readonly events: Events,
    readonly stream: ClientStream,
  ) {
    this.waitsForAnswer = isInitialize(intent);
    this.#isEndless = intent.kind === 'listen';
  }

  /** Takes the next bytes of the upstream and sends what they complete. */
  async push(chunk: Buffer): Promise<void> {
    const arrived = this.#parser.push(chunk);
    this.#count(chunk.length, arrived.length);
    for (const event of arrived) {
      const outgoing = await this.events.inspector.inspect(event);
      if (outgoing !== undefined) this.#held.push(this.#withRetry(outgoing));
    }
    const { answer } = this.events.inspector;
    if (answer !== undefined && !this.stream.opened) this.stream.open(answer.mintedSession);
    if (this.stream.opened) for (const event of this.#held.splice(0)) await this.stream.send(event);
    if (this.#held.length > HELD_EVENTS) throw new Refusal('upstream_too_large');
  }

  #count(bytes: number, events: number): void {
    this.#silentBytes = events > 0 ? 0 : this.#silentBytes + bytes;
    this.#bytes += bytes;
    this.#events += events;
    const isLong = this.#bytes > LIMITS.streamBytes || this.#events > LIMITS.streamEvents;
    if (this.#silentBytes > LIMITS.silentBytes || (isLong && !this.#isEndless)) throw new Refusal('upstream_too_large');
  }

  #withRetry(event: OutgoingSseEvent): OutgoingSseEvent {
    const { retryMs } = this.#parser;
    if (retryMs === undefined || retryMs === this.#retryTold) return event;
    this.#retryTold = retryMs;
    return { ...event, retry: retryMs };
  }
}

function openEntry({ resolved, armed }: Answered, body: UpstreamBody, edge: Edge): OpenStream {
  const { who } = resolved.caller;
  const { identity } = armed.identified.choice;
  return {
    callerId: who.account.id,
    endless: resolved.intent.kind === 'listen',
    stillAllowed: () => stillAllowed(resolved, edge, identity),
    cut: (refusal) => body.abort(refusal),
  };
}

function missingAnswer(resolved: Resolved, { inspector }: Events): Refusal | undefined {
  const expects = resolved.intent.kind === 'message';
  if (!expects || inspector.answer !== undefined || inspector.resumable) return undefined;
  return new Refusal('upstream_invalid', { reason: 'stream_ended_early' });
}

async function sendFailure(failure: Refusal | Fault, { inspector }: Events, { intent }: Resolved, stream: ClientStream): Promise<void> {
  if (inspector.answer !== undefined || intent.kind !== 'message' || intent.message.kind !== 'request') return;
  await stream.send({ data: jsonRpcErrorBytes(intent.message.id, failure) });
}

function endingOf(failure: Refusal | Fault | undefined, { inspector }: Events, stream: ClientStream) {
  const { answer } = inspector;
  if (answer !== undefined) return { status: answer.status, code: answer.code, httpStatus: 200 } as const;
  if (stream.gone) return { status: 'cancelled', code: null, httpStatus: 200 } as const;
  if (failure instanceof Fault) return { status: 'error', code: failure.code, httpStatus: 200, faultId: failure.id } as const;
  if (failure !== undefined) return { status: isUpstreamFault(failure.code) ? 'upstream_error' : 'refused', code: failure.code, httpStatus: 200 } as const;
  // A stream that ended with ids given goes on where the client resumes it; another record tells how.
  return { status: 'ok', code: inspector.resumable ? 'stream_resumable' : null, httpStatus: 200 } as const;
}

/**
 * Relays a JSON answer too long to hold: its envelope is checked as it passes. What turns out wrong
 * after the first byte is out can only be cut off, never finished.
 */
export async function relayLong(cleared: Cleared, body: UpstreamBody, response: ServerResponse): Promise<void> {
  const { resolved, answered } = cleared;
  const { draft } = resolved.caller.received;
  const scanner = new EnvelopeScanner();
  const watch = new GiveAwayWatch(answered.armed.lease);
  response.writeHead(200, { 'content-type': 'application/json' });
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
    scanner.push(chunk);
    watch.push(chunk);
    draft.bytesOut += chunk.length;
    if (draft.bytesOut > LIMITS.answerBytes) throw new Refusal('upstream_too_large');
    if (!response.write(chunk) && !response.closed) await drained(response);
  }
  const envelope = scanner.end();
  const expected = resolved.intent.kind === 'message' && resolved.intent.message.kind === 'request' ? resolved.intent.message.id : undefined;
  if (envelope.id !== expected) throw new Refusal('upstream_invalid', { reason: 'unexpected_response' });
  response.end();
  draft.mark('respond');
  draft.close({ status: envelope.error ? 'error' : 'ok', httpStatus: 200 });
}
