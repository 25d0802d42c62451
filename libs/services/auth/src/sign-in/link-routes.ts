import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimits } from '../authorization-server/rate-limits.js';
import { html, sendPage, type Html } from '../pages/page.js';
import type { FormTokens } from './form-token.js';
import { signedInBody } from './home-routes.js';
import { LINK_PROVIDER, type LoginSessions } from './login-sessions.js';
import { record } from './record-header.js';
import { answering, braked, type SignInHandler } from './sign-in-answers.js';
import { peekSignInLink, takeSignInLink, type LinkedPerson } from './sign-in-links.js';

/** What the routes of one-time links work with. */
export interface LinkRouteParts {
  db: Database;
  sessions: LoginSessions;
  forms: FormTokens;
  limits: RateLimits;
  log: Logger;
  clock: Clock;
  publicOrigin: string;
}

const LINKS = { name: 'link', burst: 30, perMinute: 30 };

/** `/login/link`: opening shows a button, the button signs in. */
export function registerLinks(fastify: FastifyInstance, parts: LinkRouteParts): void {
  const { limits, log } = parts;
  const route = (handler: SignInHandler): SignInHandler => answering(log, 'sign_in_refused', braked(limits, LINKS, handler));
  fastify.get('/login/link', route((request, reply) => show(parts, request, reply)));
  fastify.post('/login/link', route((request, reply) => signIn(parts, request, reply)));
}

async function show({ db, clock, forms }: LinkRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const ticket = new URL(request.url, 'http://localhost').searchParams.get('ticket') ?? '';
  const { name } = await peekSignInLink(db, ticket, clock.now());
  return sendPage(reply, 200, 'Sign in', linkBody(name, ticket, forms.field(request, reply)));
}

async function signIn(parts: LinkRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { db, clock, forms, sessions, publicOrigin } = parts;
  const ticket = forms.check(request).get('ticket') ?? '';
  const { person, cookie } = await db.transaction(async (tx) => {
    const found: LinkedPerson = await takeSignInLink(tx, ticket, clock.now());
    await sessions.replace(tx, request.headers.cookie);
    const { personId } = found;
    const started = await sessions.start(tx, { personId, provider: LINK_PROVIDER, subject: personId, sid: null, authAt: clock.now() });
    return { person: found, cookie: started.cookie };
  });
  record(reply, { kind: 'sign_in', callerId: person.personId, callerName: person.name, target: LINK_PROVIDER });
  return sendPage(reply.header('set-cookie', cookie), 200, 'You are signed in', signedInBody(person.name, publicOrigin));
}

function linkBody(name: string, ticket: string, token: Html): Html {
  return html`<p>This link signs this browser in to Gatehouse as <strong dir="auto">${name}</strong>. It works once.</p>
<form method="post" action="/login/link">${token}<input type="hidden" name="ticket" value="${ticket}">
<div class="actions"><button class="primary">Sign in as ${name}</button></div></form>
<p class="faint">Close this page if you did not ask for the link.</p>`;
}
