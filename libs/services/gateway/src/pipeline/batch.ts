import type { ServerResponse } from 'node:http';
import { asRefusalOrFault, Fault, Refusal } from '@gatehouse/kernel';
import type { McpMessage } from '@gatehouse/mcp';
import type { Edge } from '../edge.js';
import { headerOf } from '../http/request-head.js';
import { ClientStream } from './client-stream.js';
import { answerOf, openDraft, presenceOf } from './pipeline.js';
import { memberOf, type Read } from './read.js';
import { authenticateAgain } from './authenticate.js';
import { receive } from './receive.js';
import { Cleared, isUpstreamFault } from './inspect.js';
import type { CallDraft } from './record.js';
import { refusalBody } from './refusal-body.js';
import { relayEventsInto } from './relay.js';

const BATCH_VERSION = '2025-03-26';

/**
 * Answers a batch, which protocol version 2025-03-26 alone knows: each member is decided, recorded and
 * forwarded as a call of its own, one after the other, and the answers go out as one event stream.
 * Refuses with `batch_refused` in every other session, for an `initialize` among others, and when no session is named.
 */
export async function respondToBatch(batch: Read, response: ServerResponse, edge: Edge): Promise<void> {
  await requireBatchSession(batch, edge);
  const members = batch.message as readonly McpMessage[];
  const stream = new ClientStream(response);
  const { draft, request } = batch.caller.received;
  if (members.some((member) => member.kind === 'request')) stream.open(undefined);
  for (const member of members) await answerMember(memberOf(recaller(batch, edge), member), { stream, response }, edge);
  if (stream.opened) stream.end();
  else response.writeHead(202, { 'content-length': 0 }).end();
  draft.facts.method = 'batch';
  draft.facts.target = `${members.length} messages to ${request.url ?? ''}`.slice(0, 200);
  draft.close({ status: 'ok', httpStatus: response.statusCode });
}

async function requireBatchSession(batch: Read, edge: Edge): Promise<void> {
  const id = headerOf(batch.caller.received.request, 'mcp-session-id');
  const session = id === undefined ? undefined : (edge.sessions.known(id) ?? (await edge.sessions.open(id)));
  if (session?.protocolVersion !== BATCH_VERSION) throw new Refusal('batch_refused');
  const members = batch.message as readonly McpMessage[];
  if (members.some((member) => member.kind === 'request' && member.method === 'initialize')) throw new Refusal('batch_refused');
}

// Each member gets a record, and so a caller, of its own: the token may be revoked between two of them.
function recaller(batch: Read, edge: Edge): Read['caller'] {
  const { request } = batch.caller.received;
  return authenticateAgain(receive(request, openDraft(request, edge), edge), batch.caller, edge);
}

interface Way {
  stream: ClientStream;
  response: ServerResponse;
}

async function answerMember(body: Read, { stream, response }: Way, edge: Edge): Promise<void> {
  const { draft } = body.caller.received;
  const member = body.message as McpMessage;
  if (member.kind === 'request') draft.asked = { id: member.id, method: member.method };
  try {
    const answer = await answerOf(body, presenceOf(response), edge);
    if (answer instanceof Cleared && answer.content.kind === 'events') return await relayEventsInto(stream, answer, answer.content, edge);
    const { content } = answer;
    if (content.kind === 'message') await stream.send({ data: content.checked.bytes });
    if (content.kind === 'long') throw new Refusal('upstream_too_large');
    draft.close(content.kind === 'message' ? { status: content.checked.status, code: content.checked.code, httpStatus: 200 } : { status: 'ok', httpStatus: 202 });
  } catch (error) {
    await refuseMember(asRefusalOrFault(error), draft, stream, edge);
  }
}

async function refuseMember(error: Refusal | Fault, draft: CallDraft, stream: ClientStream, edge: Edge): Promise<void> {
  const isFault = error instanceof Fault;
  if (isFault) edge.log.error({ faultId: error.id, callId: draft.callId, err: error.cause ?? error }, error.message);
  if (draft.asked.id !== undefined) await stream.send({ data: refusalBody(error, draft) });
  const status = isFault ? 'error' : isUpstreamFault(error.code) ? 'upstream_error' : 'refused';
  draft.close({ status, code: error.code, httpStatus: 200, faultId: isFault ? error.id : null });
}
