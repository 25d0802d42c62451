import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@gatehouse/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client, Interaction, Provider } from 'oidc-provider';
import { RECORD_HEADER, recordHeader } from '../http/outcome-record.js';
import { html, sendPage } from '../pages/page.js';
import type { LoginSession, LoginSessions } from '../sign-in/login-sessions.js';
import { documentHash } from './client-documents.js';
import type { ClientStore } from './client-store.js';
import { consentBody, consentToken, isConsentToken } from './consent-page.js';

/** What the pages between a request and its answer work with. */
export interface InteractionParts {
  provider: () => Provider;
  sessions: LoginSessions;
  clients: ClientStore;
  clock: Clock;
  /** Secret that ties a consent form to the page it was shown on. */
  formKey: () => string;
}

/** A person in the middle of connecting a client. */
interface Visit {
  interaction: Interaction;
  client: Client;
  session: LoginSession;
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Longest wait of a second press for the first, and how often it looks (ms). */
const FIRST_PRESS_MS = 5_000;
const LOOK_EVERY_MS = 50;

const FRESH_REASONS = ['login_prompt', 'max_age'];

/** The pages of `/interaction/<id>`: sign in first, then agree or not. */
export function registerInteractions(fastify: FastifyInstance, parts: InteractionParts): void {
  fastify.get('/interaction/:uid', async (request, reply) => {
    const interaction = await interactionOf(request, reply, parts);
    if (interaction === undefined) return expired(reply);
    const session = await parts.sessions.current(request.headers.cookie);
    if (interaction.prompt.name === 'login') return signIn({ request, reply }, parts, interaction, session);
    const visit = await visitOf(parts, interaction, session);
    return visit === undefined ? expired(reply) : askConsent(reply, parts, visit);
  });
  fastify.post('/interaction/:uid', async (request, reply) => {
    const interaction = await interactionOf(request, reply, parts);
    const visit = interaction === undefined ? undefined : await visitOf(parts, interaction, await parts.sessions.current(request.headers.cookie));
    if (visit === undefined || visit.interaction.prompt.name !== 'consent') return expired(reply);
    return decide(request, reply, parts, visit);
  });
}

// The cookie of the interaction is scoped to its path and must name the same one: a link to it in another browser opens nothing.
async function interactionOf(request: FastifyRequest, reply: FastifyReply, { provider }: InteractionParts): Promise<Interaction | undefined> {
  try {
    const found = await provider().interactionDetails(request.raw, reply.raw);
    return found.uid === (request.params as { uid: string }).uid ? found : undefined;
  } catch (error) {
    if ((error as { error?: string }).error === 'invalid_request') return undefined;
    throw error;
  }
}

async function visitOf({ provider }: InteractionParts, interaction: Interaction, session: LoginSession | undefined): Promise<Visit | undefined> {
  const client = await provider().Client.find(String(interaction.params['client_id']));
  const isSamePerson = session !== undefined && session.personId === interaction.session?.accountId;
  return client === undefined || !isSamePerson ? undefined : { interaction, client, session };
}

async function signIn({ request, reply }: Exchange, parts: InteractionParts, interaction: Interaction, session: LoginSession | undefined): Promise<FastifyReply> {
  const mustBeFresh = interaction.prompt.reasons.some((reason) => FRESH_REASONS.includes(reason));
  const isFresh = !mustBeFresh || (session !== undefined && session.authAt >= interaction.iat * 1_000);
  if (session === undefined || !isFresh) {
    return reply.redirect(`/login?return_to=/interaction/${interaction.uid}${mustBeFresh ? '&fresh=1' : ''}`, 303);
  }
  const ts = Math.floor(session.authAt / 1_000);
  const returnTo = await parts.provider().interactionResult(request.raw, reply.raw, { login: { accountId: session.personId, ts } });
  await forgetOtherPerson(parts, interaction, session);
  return reply.redirect(returnTo, 303);
}

// The library would post a form by script to change the person; without anybody remembered there is nobody to change (A18).
async function forgetOtherPerson({ provider }: InteractionParts, { session: held }: Interaction, { personId }: LoginSession): Promise<void> {
  if (held?.uid === undefined || held.accountId === personId) return;
  const remembered = await provider().Session.findByUid(held.uid);
  if (remembered === undefined || held.cookie === undefined) return;
  remembered.jti = held.cookie;
  delete remembered.accountId;
  delete remembered.loginTs;
  delete remembered.authorizations;
  await remembered.persist();
}

async function askConsent(reply: FastifyReply, parts: InteractionParts, visit: Visit): Promise<FastifyReply> {
  const state = await parts.clients.state(visit.client.clientId);
  if (state?.status === 'waiting') {
    return sendPage(reply, 403, 'Waiting for approval', html`<p>An administrator must allow <strong dir="auto">${visit.client.clientName || visit.client.clientId}</strong> before anybody can connect it. It is on their list now; try again later.</p>`);
  }
  const token = consentToken(parts.formKey(), visit.interaction.uid, visit.session.idHash);
  return sendPage(reply, 200, 'Connect a client', consentBody({ ...visit, token }));
}

async function decide(request: FastifyRequest, reply: FastifyReply, parts: InteractionParts, visit: Visit): Promise<FastifyReply> {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  if (!isConsentToken(form.get('csrf') ?? '', parts.formKey(), visit.interaction.uid, visit.session.idHash)) return expired(reply);
  // A second press of the button goes where the first one goes, and gives nothing more.
  if (!(await parts.clients.claimDecision(visit.interaction.uid))) {
    await firstPressDone(parts, visit.interaction.uid);
    return reply.redirect(visit.interaction.returnTo, 303);
  }
  const state = await parts.clients.state(visit.client.clientId);
  const agreed = form.get('decision') === 'allow' && (state === undefined || state.status === 'allowed');
  const result = agreed ? { consent: { grantId: await giveGrant(parts, visit) } } : { error: 'access_denied', error_description: 'the person said no' };
  noteDecision(reply, visit, agreed);
  return reply.redirect(await parts.provider().interactionResult(request.raw, reply.raw, result), 303);
}

// Going on before the first press left its result would use the request up without one, and nobody would be answered.
async function firstPressDone({ provider }: InteractionParts, uid: string): Promise<void> {
  for (let waited = 0; waited < FIRST_PRESS_MS; waited += LOOK_EVERY_MS) {
    const interaction = await provider().Interaction.find(uid);
    if (interaction === undefined || interaction.result !== undefined) return;
    await sleep(LOOK_EVERY_MS);
  }
}

async function giveGrant({ provider, clients }: InteractionParts, { interaction, client, session }: Visit): Promise<string> {
  const { Grant } = provider();
  const held = interaction.grantId === undefined ? undefined : await Grant.find(interaction.grantId);
  const grant = held ?? new Grant({ accountId: session.personId, clientId: client.clientId });
  const details = interaction.prompt.details as { missingOIDCScope?: string[]; missingResourceScopes?: Record<string, string[]> };
  if (details.missingOIDCScope !== undefined) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(' '));
  const id = await grant.save();
  await clients.noteConsent(id, session.idHash, documentHash(client));
  return id;
}

function noteDecision(reply: FastifyReply, { client, session, interaction }: Visit, agreed: boolean): void {
  const record = {
    kind: agreed ? 'grant_given' : 'grant_refused',
    code: agreed ? null : 'access_denied',
    callerId: session.personId,
    callerName: session.name,
    clientId: client.clientId,
    target: String(interaction.params['resource'] ?? ''),
  };
  void reply.header(RECORD_HEADER, recordHeader(record));
}

function expired(reply: FastifyReply): FastifyReply {
  return sendPage(reply, 400, 'This page is over', html`<p>It was open too long, was opened in another browser, or was used already. If your client is connected by now, close this page; otherwise connect again from your client.</p>`);
}
