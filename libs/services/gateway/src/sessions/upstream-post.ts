import { Refusal } from '@gatehouse/kernel';
import type { Destination, SmallAnswer } from '@gatehouse/outbound';
import { LIMITS } from '../limits.js';
import { responseIn } from './response-in.js';
import type { SendToUpstream } from './upstream-session.js';

const ANSWER_BYTES = 1024 * 1024;

/** How messages of our own are posted. */
export interface PostOptions {
  /** With the credential; nothing of a session. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Looks at every answer first; what it throws is what sending refuses with. */
  readonly judge: (answer: SmallAnswer) => void;
}

/** Sends messages of our own over Streamable HTTP. Refuses as the destination does, with `upstream_refused` {status} and `upstream_invalid`. */
export function postTo(destination: Destination, { headers, timeoutMs, judge }: PostOptions): SendToUpstream {
  return async (message, opened) => {
    const ofSession = opened === undefined ? {} : { 'mcp-protocol-version': opened.protocolVersion, ...(opened.upstreamId === null ? {} : { 'mcp-session-id': opened.upstreamId }) };
    const lines = { ...headers, ...ofSession, accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const answer = await destination.fetchSmall({ method: 'POST', headers: lines, body: Buffer.from(JSON.stringify(message)), maxBytes: ANSWER_BYTES, timeoutMs });
    judge(answer);
    if (answer.status >= 300) throw new Refusal('upstream_refused', { status: answer.status });
    if (message['id'] === undefined) return { response: undefined };
    return { response: responseIn(answer, message['id'], LIMITS.eventBytes), sessionId: answer.headers['mcp-session-id'] };
  };
}
