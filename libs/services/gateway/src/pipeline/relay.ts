import type { ServerResponse } from 'node:http';
import { asRefusalOrFault, Fault, Refusal } from '@gatehouse/kernel';
import { EnvelopeScanner, jsonRpcErrorBytes, SseParser, type OutgoingSseEvent } from '@gatehouse/mcp';
import type { Edge } from '../edge.js';
import { LIMITS } from '../limits.js';
import type { OpenStream } from '../sessions/open-streams.js';
import { wouldStillAllow } from './authorize.js';
import { ClientStream, drained } from './client-stream.js';
import { GiveAwayWatch } from './give-away-watch.js';
import type { Cleared, Content } from './inspect.js';
import { isUpstreamFault } from './inspect.js';
import { isInitialize, type Resolved } from './resolve.js';
import type { UpstreamBody } from './upstream-body.js';

type Events = Extract<Content, { kind: 'events' }>;

/** Relays an event stream until it ends, is cut, or the client goes; closes the record with it. */
export async function relayEvents(cleared: Cleared, events: Events, response: ServerResponse, edge: Edge): Promise<void> {
  const stream = new ClientStream(response);
  await relayEventsInto(cleared, events, stream, response, edge);
  stream.end();
}

/** The same into a stream that others (members of a batch) write to as well. */
export async function relayEventsInto(cleared: Cleared, events: Events, stream: ClientStream, response: ServerResponse, edge: Edge): Promise<void> {
  const { resolved } = cleared;
  const before = { bytes: stream.bytes, events: stream.events };
  const entry = openEntry(resolved, events.body, edge);
  edge.streams.open(entry);
  edge.metrics.streams.set(edge.streams.size);
  const failure = (await pump(cleared, events, stream).then(() => undefined, asRefusalOrFault)) ?? missingAnswer(resolved, events);
  edge.streams.closed(entry);
  edge.metrics.streams.set(edge.streams.size);
  // Before the head is out a failure is an ordinary refusal with a status of its own.
  if (failure !== undefined && !stream.opened) throw failure;
  if (failure !== undefined && !response.closed) await sendFailure(failure, events, resolved, stream);
  const { draft } = resolved.caller.received;
  draft.bytesOut = stream.bytes - before.bytes;
  draft.events = stream.events - before.events;
  draft.mark('respond');
  draft.close(endingOf(failure, events, response));
}

async function pump({ resolved }: Cleared, { body, inspector }: Events, stream: ClientStream): Promise<void> {
  const parser = new SseParser({ maxEventBytes: LIMITS.eventBytes });
  const held: OutgoingSseEvent[] = [];
  // The head of an initialize answer carries the session id, which the answer itself decides.
  const waits = isInitialize(resolved.intent);
  if (!waits && !stream.opened) stream.open(undefined);
  let retryTold: number | undefined;
  let size = 0;
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
    size += chunk.length;
    if (resolved.intent.kind !== 'listen' && size > LIMITS.streamBytes) throw new Refusal('upstream_too_large');
    for (const event of parser.push(chunk)) {
      const outgoing = await inspector.inspect(event);
      if (outgoing === undefined) continue;
      const retry = parser.retryMs === retryTold ? undefined : (retryTold = parser.retryMs);
      held.push(retry === undefined ? outgoing : { ...outgoing, retry });
    }
    if (waits && inspector.answer !== undefined && !stream.opened) stream.open(inspector.answer.mintedSession);
    if (stream.opened) await flush(held, stream);
    if (held.length > HELD_EVENTS) throw new Refusal('upstream_too_large');
  }
}

const HELD_EVENTS = 256;

async function flush(held: OutgoingSseEvent[], stream: ClientStream): Promise<void> {
  for (const event of held.splice(0)) await stream.send(event);
}

function openEntry(resolved: Resolved, body: UpstreamBody, edge: Edge): OpenStream {
  const { who } = resolved.caller;
  return {
    personId: who.person.id,
    stillAllowed: () => stillAllowed(resolved, who.tokenId, edge),
    cut: (refusal) => body.abort(refusal),
  };
}

// When it cannot be known whether the stream is still allowed, it is not.
function stillAllowed(resolved: Resolved, tokenId: string, edge: Edge): boolean {
  try {
    return edge.state.directory().stillUsable(tokenId, edge.clock.now()) && wouldStillAllow(resolved, edge);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
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

function endingOf(failure: Refusal | Fault | undefined, { inspector }: Events, response: ServerResponse) {
  const { answer } = inspector;
  if (answer !== undefined) return { status: answer.status, code: answer.code, httpStatus: 200 } as const;
  if (response.closed && !response.writableFinished) return { status: 'cancelled', code: null, httpStatus: 200 } as const;
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
