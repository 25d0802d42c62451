import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimits } from '../authorization-server/rate-limits.js';
import { html, sendPage, type Html } from '../pages/page.js';
import type { SignInProvider } from './federation.js';
import type { FormTokens } from './form-token.js';
import type { IdentityProviderSource } from './identity-provider-source.js';
import type { LoginSessions } from './login-sessions.js';
import type { LoginTransactions } from './login-transactions.js';
import { record } from './record-header.js';
import { safeReturn } from './return-to.js';
import { answering, braked, sendOn, type SignInHandler } from './sign-in-answers.js';
import { SignInRefusal } from './sign-in-refusal.js';
import type { Onward, SignIn } from './sign-in.js';

/** What the routes of the login work with. */
export interface LoginRouteParts {
  signIn: SignIn;
  providers: IdentityProviderSource;
  sessions: LoginSessions;
  transactions: LoginTransactions;
  forms: FormTokens;
  limits: RateLimits;
  log: Logger;
}

const STARTS = { name: 'start', burst: 30, perMinute: 30 };
const ANSWERS = { name: 'answer', burst: 60, perMinute: 60 };

interface Choice {
  returnTo: string;
  isFresh: boolean;
}

/** `GET` and `POST /login`, and `/login/callback` where providers send people back to. */
export function registerLogin(fastify: FastifyInstance, parts: LoginRouteParts): void {
  const { limits, log } = parts;
  const route = (rate: typeof STARTS, handler: SignInHandler): SignInHandler => answering(log, 'sign_in_refused', braked(limits, rate, handler));
  fastify.get('/login', route(STARTS, (request, reply) => offer(parts, request, reply)));
  fastify.post('/login', route(STARTS, (request, reply) => choose(parts, request, reply)));
  fastify.get('/login/callback', route(ANSWERS, (request, reply) => finish(parts, request, reply)));
}

async function offer(parts: LoginRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const choice = choiceOf(queryOf(request));
  const session = await parts.sessions.current(request.headers.cookie);
  if (session !== undefined && !choice.isFresh) return sendOn(reply, choice.returnTo);
  const providers = await parts.providers.enabled();
  const [only] = providers;
  if (only === undefined) return sendPage(reply, 200, 'Sign in', NOWHERE);
  if (providers.length === 1) return sendTo(reply, await parts.signIn.begin({ provider: only, ...choice }, request.headers.cookie));
  return sendPage(reply, 200, 'Sign in', choiceBody(providers, choice, parts.forms.field(request, reply)));
}

async function choose(parts: LoginRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = parts.forms.check(request);
  const provider = await parts.providers.named(form.get('provider') ?? '');
  if (provider === undefined) throw new SignInRefusal('unknown_provider');
  return sendTo(reply, await parts.signIn.begin({ provider, ...choiceOf(form) }, request.headers.cookie));
}

function sendTo(reply: FastifyReply, { location, cookies }: Onward): FastifyReply {
  return sendOn(reply, location, cookies);
}

async function finish({ signIn, transactions }: LoginRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = queryOf(request);
  void reply.header('set-cookie', transactions.forget(query.get('state') ?? ''));
  const { personId, name, provider, location, cookies } = await signIn.finish(query, request.headers.cookie);
  record(reply, { kind: 'sign_in', callerId: personId, callerName: name, target: provider });
  return sendOn(reply, location, cookies);
}

/** The query of a request, as it was sent. */
function queryOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.url, 'http://localhost').searchParams;
}

function choiceOf(values: URLSearchParams): Choice {
  const returnTo = safeReturn(values.get('return_to'));
  if (returnTo === undefined || values.getAll('return_to').length > 1) throw new SignInRefusal('bad_return');
  return { returnTo, isFresh: values.get('fresh') === '1' };
}

function choiceBody(providers: readonly SignInProvider[], { returnTo, isFresh }: Choice, token: Html): Html {
  const entries = providers.map(
    ({ name, settings }) => html`<li><form method="post" action="/login">${token}
<input type="hidden" name="return_to" value="${returnTo}"><input type="hidden" name="fresh" value="${isFresh ? '1' : ''}">
<button name="provider" value="${name}">Sign in with ${settings.displayName}</button></form></li>`,
  );
  return html`<p>Choose where you sign in.</p><ul class="choices">${entries}</ul>`;
}

const NOWHERE = html`<p>No identity provider is set up here yet.</p>
<p>Whoever runs Gatehouse on this computer can sign in with the <strong>one-time link</strong> that it prints when it starts. Otherwise ask your administrator to connect your organisation’s sign-in.</p>`;
