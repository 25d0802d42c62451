import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimits } from '../authorization-server/rate-limits.js';
import { sendPage } from '../pages/page.js';
import type { FormTokens } from '../sign-in/form-token.js';
import type { LoginSession, LoginSessions } from '../sign-in/login-sessions.js';
import { braked, sendOn, type SignInHandler } from '../sign-in/sign-in-answers.js';
import type { AccountSignIn } from './account-sign-in.js';
import { connecting, recordConnect } from './connect-answers.js';
import { connectedBody, headersBody, signInBody } from './connect-pages.js';
import { ConnectRefusal } from './connect-refusal.js';
import type { Connecting, OpenConnection } from './connecting.js';
import { wantedHeaders } from './header-lines.js';
import { CALLBACK_PATH, DOCUMENT_PATH, ownDocument } from './own-client.js';

/** What the routes of connecting work with. */
export interface ConnectRouteParts {
  connecting: Connecting;
  signIn: AccountSignIn;
  sessions: LoginSessions;
  forms: FormTokens;
  limits: RateLimits;
  log: Logger;
  publicOrigin: string;
}

const VISITS = { name: 'connect', burst: 60, perMinute: 60 };
const TICKET = /^[A-Za-z0-9_-]{16,128}$/;

/** `/connect/<ticket>`, the callbacks below `/oauth/callback`, and our client metadata document. */
export function registerConnect(fastify: FastifyInstance, parts: ConnectRouteParts): void {
  const route = (handler: (parts: ConnectRouteParts, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>): SignInHandler =>
    connecting(parts.log, braked(parts.limits, VISITS, (request, reply) => handler(parts, request, reply)));
  fastify.get('/connect/:ticket', route(show));
  fastify.post('/connect/:ticket', route(act));
  fastify.get(CALLBACK_PATH, route(callback));
  fastify.get(`${CALLBACK_PATH}/:client`, route(callback));
  const document = ownDocument(parts.publicOrigin);
  fastify.get(DOCUMENT_PATH, (_request, reply) =>
    reply.header('content-type', 'application/json').header('cache-control', 'public, max-age=3600').header('etag', document.etag).header('access-control-allow-origin', '*').send(document.bytes),
  );
}

async function show(parts: ConnectRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const ticket = ticketOf(request);
  const session = await parts.sessions.current(request.headers.cookie);
  if (session === undefined) return sendOn(reply, `/login?return_to=/connect/${ticket}`);
  return page(parts, await parts.connecting.open(ticket, session), { request, reply, session });
}

/** One visit of a signed-in person. */
interface Visit {
  request: FastifyRequest;
  reply: FastifyReply;
  session: LoginSession;
}

async function page({ forms, signIn }: ConnectRouteParts, { connection, upstream, method }: OpenConnection, { request, reply, session }: Visit, isBad = false): Promise<FastifyReply> {
  const facts = { upstream, connection, personName: session.name };
  const destination = method === 'oauth' ? await signIn.destination(upstream) : undefined;
  const token = forms.field(request, reply);
  const body = destination === undefined ? headersBody(facts, wantedHeaders(upstream), { token, isBad }) : signInBody(facts, destination, token);
  return sendPage(reply, isBad ? 422 : 200, `Connect ${upstream.preset?.title ?? upstream.name}`, body);
}

async function act(parts: ConnectRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = parts.forms.check(request);
  const session = await parts.sessions.current(request.headers.cookie);
  if (session === undefined) return sendOn(reply, `/login?return_to=/connect/${ticketOf(request)}`);
  const open = await parts.connecting.open(ticketOf(request), session);
  if (open.method === 'oauth') return sendOn(reply, (await parts.signIn.begin(open.upstream, open.connection, session)).href);
  const typed = wantedHeaders(open.upstream).map((_header, at) => form.get(`header-${at}`) ?? '');
  if (!(await parts.connecting.takeHeaders(open, typed))) return page(parts, open, { request, reply, session }, true);
  return connected(reply, open, session);
}

async function callback({ sessions, connecting: flow, publicOrigin }: ConnectRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { pathname, searchParams: query } = new URL(request.url, publicOrigin);
  const session = await sessions.current(request.headers.cookie);
  if (session === undefined) throw new ConnectRefusal('foreign_answer');
  const finished = await flow.finish({ query, address: `${publicOrigin}${pathname}`, session });
  return 'again' in finished ? sendOn(reply, finished.again.href) : connected(reply, finished, session);
}

function connected(reply: FastifyReply, of: Pick<OpenConnection, 'upstream' | 'connection'>, { personId, name }: LoginSession): FastifyReply {
  recordConnect(reply, { kind: 'account_connected', callerId: personId, callerName: name, target: of.upstream.name });
  return sendPage(reply, 200, 'Your account is connected', connectedBody(of));
}

function ticketOf(request: FastifyRequest): string {
  const { ticket = '' } = request.params as { ticket?: string };
  if (!TICKET.test(ticket)) throw new ConnectRefusal('over');
  return ticket;
}
