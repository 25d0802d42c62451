import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html, sendPage, type Html } from '../pages/page.js';
import type { Federation } from './federation.js';
import type { FormTokens } from './form-token.js';
import type { IdentityProviderSource } from './identity-provider-source.js';
import type { LoginSession, LoginSessions } from './login-sessions.js';
import { factsOf } from './provider-answers.js';
import { record } from './record-header.js';
import { answering, sendOn, type SignInHandler } from './sign-in-answers.js';

/** What the routes of the sign-out work with. */
export interface SignOutRouteParts {
  sessions: LoginSessions;
  providers: IdentityProviderSource;
  federation: Federation;
  forms: FormTokens;
  log: Logger;
  publicOrigin: string;
}

/** Where a provider sends people after its own sign-out; it has to be registered there. */
export const AFTER_SIGN_OUT = '/session/end';

/** `/session/end`: opening asks, the button signs out here and, where it can be done, at the provider. */
export function registerSignOut(fastify: FastifyInstance, parts: SignOutRouteParts): void {
  const route = (handler: SignInHandler): SignInHandler => answering(parts.log, 'sign_out_refused', handler);
  fastify.get('/session/end', route((request, reply) => ask(parts, request, reply)));
  fastify.post('/session/end', route((request, reply) => signOut(parts, request, reply)));
}

async function ask({ sessions, forms }: SignOutRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const session = await sessions.current(request.headers.cookie);
  if (session === undefined) return sendPage(reply, 200, 'You are signed out', SIGNED_OUT);
  return sendPage(reply, 200, 'Sign out', askBody(session, forms.field(request, reply)));
}

async function signOut(parts: SignOutRouteParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { sessions, forms } = parts;
  forms.check(request);
  const session = await sessions.current(request.headers.cookie);
  void reply.header('set-cookie', sessions.forget);
  if (session === undefined) return sendPage(reply, 200, 'You are signed out', SIGNED_OUT);
  await sessions.end(session.idHash);
  record(reply, { kind: 'sign_out', callerId: session.personId, callerName: session.name, target: session.provider });
  const elsewhere = await signOutElsewhere(parts, session);
  return elsewhere === undefined ? sendPage(reply, 200, 'You are signed out', SIGNED_OUT) : sendOn(reply, elsewhere.href);
}

// The session here is over already; a provider that cannot be asked now must not make it look otherwise.
async function signOutElsewhere({ providers, federation, log, publicOrigin }: SignOutRouteParts, { provider: name }: LoginSession): Promise<URL | undefined> {
  const provider = await providers.named(name);
  if (provider === undefined) return undefined;
  try {
    return await federation.endSessionUrl(provider, `${publicOrigin}${AFTER_SIGN_OUT}`);
  } catch (error) {
    log.info({ ...factsOf(error), provider: name }, 'not signed out at the identity provider');
    return undefined;
  }
}

function askBody({ name }: LoginSession, token: Html): Html {
  return html`<p>You are signed in as <strong dir="auto">${name}</strong>.</p>
<form method="post" action="/session/end">${token}<div class="actions"><button class="primary">Sign out</button></div></form>
<p class="faint">Clients that you have connected stay connected. To end one: <code>npx gatehouse grant list</code>, then <code>npx gatehouse grant revoke</code>.</p>`;
}

const SIGNED_OUT = html`<p>This browser is not signed in to Gatehouse. Clients that you have connected stay connected.</p>
<p><a href="/login">Sign in again</a></p>`;
