import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Edge } from '../edge.js';
import { headerOf } from '../http/request-head.js';
import { callsConnectTool } from '../identity/connect-tool.js';
import type { AnsweredHere } from './answered-here.js';
import { authenticate } from './authenticate.js';
import { authorize } from './authorize.js';
import { respondToBatch } from './batch.js';
import { credential } from './credential.js';
import { forwardAccepted } from './forward-accepted.js';
import type { Presence } from './forward.js';
import { identify } from './identify.js';
import { inspect, type Cleared } from './inspect.js';
import { read, type Read } from './read.js';
import { receive } from './receive.js';
import { CallDraft } from './record.js';
import { resolve } from './resolve.js';
import { refuse, respond } from './respond.js';
import { connectedAlready, withoutIdentity } from './without-identity.js';

const USER_AGENT_CHARS = 200;

/** One call, in one direction (architecture section 3). Never throws: what goes wrong is answered and recorded. */
export async function handleCall(request: IncomingMessage, response: ServerResponse, edge: Edge): Promise<void> {
  const draft = openDraft(request, edge);
  let leave: (() => void) | undefined;
  try {
    const known = authenticate(receive(request, draft, edge), edge);
    const caller = known instanceof Promise ? await known : known;
    leave = edge.load.enter(caller.who.account.id);
    const body = await read(caller);
    if (Array.isArray(body.message)) return await respondToBatch(body, response, edge);
    await respond(await answerOf(body, presenceOf(response), edge), response, edge);
  } catch (error) {
    refuse(error, response, draft, edge);
  } finally {
    leave?.();
  }
}

/** From a read request to an answer that may go out. */
export async function answerOf(body: Read, presence: Presence, edge: Edge): Promise<Cleared | AnsweredHere> {
  const authorized = authorize(await resolve(body, edge));
  try {
    const identified = await identify(authorized, edge);
    if (callsConnectTool(authorized.resolved)) return connectedAlready(authorized);
    await body.caller.received.draft.intend();
    const armed = await credential(identified, edge);
    return inspect(await forwardAccepted(armed, presence, edge), edge);
  } catch (error) {
    return withoutIdentity(error, authorized, edge);
  }
}

/** The record of a call, opened with its first byte. */
export function openDraft(request: IncomingMessage, edge: Edge): CallDraft {
  return new CallDraft(edge, request.socket.remoteAddress ?? null, headerOf(request, 'user-agent')?.slice(0, USER_AGENT_CHARS) ?? null);
}

/** Tells when the client goes before its answer ended. */
export function presenceOf(response: ServerResponse): Presence {
  return {
    onGone(abort) {
      if (response.closed) return abort();
      response.once('close', () => {
        if (!response.writableFinished) abort();
      });
    },
  };
}
