import type { ServerResponse } from 'node:http';
import { asRefusalOrFault, errorRow, Fault, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { challengesOf } from '../tokens/challenge.js';
import { AnsweredHere } from './answered-here.js';
import { MCP_SCOPE } from './authenticate.js';
import type { CheckedAnswer } from './answer-check.js';
import { isUpstreamFault, type Cleared } from './inspect.js';
import type { CallDraft } from './record.js';
import { refusalBody } from './refusal-body.js';
import { relayEvents, relayLong } from './relay.js';
import { waitForIdentity } from './wait-for-identity.js';

const JSON_TYPE = 'application/json';

/** Sends what was cleared. The only place, with `refuse` below, that knows status codes. */
export async function respond(answer: Cleared | AnsweredHere, response: ServerResponse, edge: Edge): Promise<void> {
  return answer instanceof AnsweredHere ? respondOurselves(answer, response, edge) : respondCleared(answer, response, edge);
}

async function respondOurselves(here: AnsweredHere, response: ServerResponse, edge: Edge): Promise<void> {
  const { content, resolved } = here;
  const { draft } = resolved.caller.received;
  if (content.kind === 'waiting') return waitForIdentity(here, response, edge);
  if (content.kind === 'message') return sendMessage(content.checked, response, draft);
  return sendEmpty(content.kind === 'ended' ? 200 : 202, response, draft);
}

async function respondCleared(cleared: Cleared, response: ServerResponse, edge: Edge): Promise<void> {
  const { content, resolved } = cleared;
  const { draft } = resolved.caller.received;
  switch (content.kind) {
    case 'message':
      return sendMessage(content.checked, response, draft);
    case 'long':
      return relayLong(cleared, content.body, response);
    case 'events':
      return relayEvents(cleared, content, response, edge);
    case 'accepted':
      return sendEmpty(202, response, draft);
    case 'ended':
      return sendEmpty(200, response, draft);
  }
}

function sendMessage(checked: CheckedAnswer, response: ServerResponse, draft: CallDraft): void {
  const headers: Record<string, string | number> = { 'content-type': JSON_TYPE, 'content-length': checked.bytes.length };
  if (checked.mintedSession !== undefined) headers['mcp-session-id'] = checked.mintedSession;
  response.writeHead(200, headers);
  response.end(checked.bytes);
  draft.bytesOut = checked.bytes.length;
  draft.mark('respond');
  draft.close({ status: checked.status, code: checked.code, httpStatus: 200 });
}

function sendEmpty(status: number, response: ServerResponse, draft: CallDraft): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
  draft.close({ status: 'ok', httpStatus: status });
}

/** Answers anything that went wrong, with its one record: a refusal by its row, a fault by its id. */
export function refuse(thrown: unknown, response: ServerResponse, draft: CallDraft, edge: Edge): void {
  const error = asRefusalOrFault(thrown);
  if (error instanceof Fault) edge.log.error({ faultId: error.id, callId: draft.callId, err: error.cause ?? error }, error.message);
  if (response.closed || response.destroyed) return draft.close({ status: 'cancelled', code: error.code });
  if (response.headersSent) response.destroy();
  const status = response.headersSent ? null : sendRefusal(error, response, draft, edge);
  draft.close({
    status: statusOf(error),
    code: error.code,
    ...reasonOf(error),
    httpStatus: status,
    faultId: error instanceof Fault ? error.id : null,
  });
}

function statusOf(error: Refusal | Fault): 'refused' | 'upstream_error' | 'error' {
  if (error instanceof Fault) return 'error';
  return isUpstreamFault(error.code) ? 'upstream_error' : 'refused';
}

/** Which kind of failure at the upstream, so that the record tells an expired certificate from a closed port. */
function reasonOf(error: Refusal | Fault): { reason?: string } {
  if (error instanceof Fault || !isUpstreamFault(error.code)) return {};
  const { reason } = error.details;
  return typeof reason === 'string' ? { reason } : {};
}

function sendRefusal(error: Refusal | Fault, response: ServerResponse, draft: CallDraft, edge: Edge): number {
  const row = errorRow(error.code);
  const status = draft.asked.id === undefined ? row.status : (row.mcpStatus ?? row.status);
  const body = refusalBody(error, draft);
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': body.length, ...refusalHeaders(error, response), ...challengeHeaders(error, draft, edge) });
  response.end(body);
  draft.bytesOut = body.length;
  return status;
}

function challengeHeaders(error: Refusal | Fault, { facts }: CallDraft, { resources }: Edge): Record<string, string[]> {
  if (error instanceof Fault || (error.code !== 'unauthenticated' && error.code !== 'insufficient_scope')) return {};
  const metadata = resources.metadataOf(resources.endpoint(facts.endpoint ?? ''));
  return { 'www-authenticate': challengesOf(error, { scope: MCP_SCOPE, metadata }) };
}

const RETRY_AFTER_S = 1;

function refusalHeaders(error: Refusal | Fault, response: ServerResponse): Record<string, string | number> {
  const headers: Record<string, string | number> = {};
  // What was not read of the body is not worth reading: the connection ends with the answer.
  if (!response.req.complete) headers['connection'] = 'close';
  if (error instanceof Fault) return headers;
  if (error.code === 'method_not_allowed') headers['allow'] = String(error.details['allow'] ?? 'POST, GET, DELETE');
  const { retryable, status } = errorRow(error.code);
  if (retryable && (status === 429 || status === 503)) headers['retry-after'] = RETRY_AFTER_S;
  return headers;
}
