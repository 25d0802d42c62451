import type { ServerResponse } from 'node:http';
import type { Client } from './clients.js';
import type { Arrived } from './listener.js';
import { OauthError, sendHtml } from './oauth-error.js';
import type { OauthStage } from './oauth-stage.js';
import { requested } from './pushed-requests.js';

/** Answers the authorize address as after a person has signed in and agreed: with the redirect. */
export async function answerAuthorize(stage: OauthStage, { query: sent }: Arrived, response: ServerResponse): Promise<void> {
  const query = requested(stage, sent);
  const { behaviour } = stage;
  const client = await stage.clients.find(query.get('client_id') ?? '');
  const redirectUri = query.get('redirect_uri') ?? '';
  // RFC 6749 section 4.1.2.1: nobody is sent to an address that is not the client's.
  if (client === undefined || !isOwn(client, redirectUri)) return sendHtml(response, 400);
  if (behaviour.consent === 'error-page' || isRefused(client, behaviour.documents, 'refused-page')) return sendHtml(response, 400);
  const back = new URL(redirectUri);
  for (const [name, value] of Object.entries(outcome(stage, client, query))) back.searchParams.set(name, value);
  const state = query.get('state');
  if (state !== null) back.searchParams.set('state', state);
  const iss = issOf(stage);
  if (iss !== undefined) back.searchParams.set('iss', iss);
  response.writeHead(302, { location: back.href, 'cache-control': 'no-store' }).end();
}

function isOwn({ redirectUris }: Client, redirectUri: string): boolean {
  return URL.canParse(redirectUri) && (redirectUris === undefined || redirectUris.includes(redirectUri));
}

function isRefused(client: Client, documents: string, shape: string): boolean {
  return client.how === 'document' && documents === shape;
}

function outcome(stage: OauthStage, client: Client, query: URLSearchParams): Record<string, string> {
  try {
    return { code: agreed(stage, client, query) };
  } catch (error) {
    if (!(error instanceof OauthError)) throw error;
    return { error: error.error, error_description: error.description };
  }
}

function agreed(stage: OauthStage, client: Client, query: URLSearchParams): string {
  const { behaviour, grants } = stage;
  if (behaviour.consent === 'denied') throw new OauthError('access_denied', 'the person said no');
  if (isRefused(client, behaviour.documents, 'refused-callback')) throw new OauthError('unauthorized_client', 'documents are not read here');
  if (query.get('response_type') !== 'code') throw new OauthError('unsupported_response_type', 'code alone');
  if (!stage.acceptsResource(query.get('resource'))) throw new OauthError('invalid_target', 'not this resource');
  const challenge = challengeOf(query, behaviour.pkce);
  const scopes = (query.get(behaviour.scopeParam) ?? '').split(/[ ,]+/).filter(Boolean);
  const grant = grants.begin({ user: behaviour.user, clientId: client.clientId, scopes, resource: query.get('resource') });
  return grants.code({ grant, redirectUri: query.get('redirect_uri') ?? '', challenge });
}

function challengeOf(query: URLSearchParams, pkce: string): string | null {
  if (pkce === 'absent') return null;
  if (query.get('code_challenge_method') !== 'S256' || query.get('code_challenge') === null) throw new OauthError('invalid_request', 'PKCE with S256 is needed');
  return query.get('code_challenge');
}

function issOf({ behaviour, ownIssuer }: OauthStage): string | undefined {
  if (behaviour.iss === 'missing' || behaviour.iss === 'promised-missing') return undefined;
  return behaviour.iss === 'wrong' ? 'https://another-issuer.example' : ownIssuer;
}
