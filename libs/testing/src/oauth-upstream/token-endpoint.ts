import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients.js';
import { ProofRefused } from './dpop-proofs.js';
import type { AccessToken } from './grants.js';
import type { Arrived } from './listener.js';
import { OauthError, sendError, sendHtml, sendJson } from './oauth-error.js';
import type { OauthStage } from './oauth-stage.js';
import { sendToken } from './token-answers.js';

/** A request to the token endpoint from a client that proved to be itself. */
interface TokenRequest {
  stage: OauthStage;
  form: URLSearchParams;
  client: Client;
  /** The key that the request proves to have. */
  jkt: string | null;
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const GRANTS: Readonly<Record<string, (request: TokenRequest) => AccessToken | Promise<AccessToken>>> = {
  authorization_code: fromCode,
  refresh_token: fromRefreshToken,
  client_credentials: fromCredentials,
  [EXCHANGE]: ({ form, ...rest }) => fromTrusted({ form, ...rest }, form.get('subject_token')),
  [JWT_BEARER]: ({ form, ...rest }) => fromTrusted({ form, ...rest }, form.get('assertion')),
};

/** Answers the token endpoint (RFC 6749 section 3.2), well or as badly as the behaviour says. */
export async function answerToken(stage: OauthStage, arrived: Arrived, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(arrived.body);
  const { behaviour } = stage;
  const grantType = form.get('grant_type') ?? '';
  await sleep(behaviour.tokenDelayMs);
  if (grantType === 'refresh_token' && sabotaged(behaviour.refresh, response)) return;
  const send = await decided(stage, form, arrived);
  await behaviour.tokenHook?.('decided', grantType);
  if (grantType === 'refresh_token' && behaviour.refresh === 'answer-lost') return void response.destroy();
  send(response);
  await behaviour.tokenHook?.('answered', grantType);
}

async function decided(stage: OauthStage, form: URLSearchParams, arrived: Arrived): Promise<(response: ServerResponse) => void> {
  try {
    const issued = await issue(stage, form, arrived);
    return (response) => sendToken(response, issued, stage.behaviour);
  } catch (error) {
    if (!(error instanceof OauthError)) throw error;
    return (response) => sendError(response, error);
  }
}

/** Answers a revocation (RFC 7009). */
export async function answerRevocation(stage: OauthStage, arrived: Arrived, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(arrived.body);
  await stage.clients.authenticate(form, arrived.headers.authorization, audiences(stage));
  stage.grants.revokeToken(form.get('token') ?? '');
  response.writeHead(200).end();
}

function sabotaged(refresh: OauthStage['behaviour']['refresh'], response: ServerResponse): boolean {
  if (refresh === 'ok' || refresh === 'answer-lost') return false;
  if (refresh === 'error-500') sendJson(response, 500, { error: 'server_error' });
  else if (refresh === 'too-many') sendJson(response, 429, { error: 'slow_down' }, { 'retry-after': '1' });
  else if (refresh === 'html') sendHtml(response, 403);
  else if (refresh === 'cut') response.destroy();
  else if (refresh !== 'hang') sendError(response, new OauthError(refresh, 'as the test says', refresh === 'invalid_client' ? 401 : 400));
  return true;
}

async function issue(stage: OauthStage, form: URLSearchParams, arrived: Arrived): Promise<AccessToken> {
  const client = await stage.clients.authenticate(form, arrived.headers.authorization, audiences(stage));
  const jkt = await provenKey(stage, arrived);
  const grant = GRANTS[form.get('grant_type') ?? ''];
  if (grant === undefined) throw new OauthError('unsupported_grant_type', 'not here');
  if (!stage.acceptsResource(form.get('resource'))) throw new OauthError('invalid_target', 'not this resource');
  return grant({ stage, form, client, jkt });
}

async function provenKey({ behaviour, proofs, tokenEndpoint: url }: OauthStage, arrived: Arrived): Promise<string | null> {
  const { dpop, dpopNonce } = behaviour;
  if (dpop === 'none' || (dpop !== 'required' && arrived.headers['dpop'] === undefined)) return null;
  try {
    const jkt = await proofs.check(arrived, { url, needsNonce: dpopNonce !== 'nowhere' });
    return dpop === 'answered-bearer' ? null : jkt;
  } catch (error) {
    if (!(error instanceof ProofRefused)) throw error;
    throw new OauthError(error.error, error.message, 400, error.error === 'use_dpop_nonce' ? { 'dpop-nonce': proofs.presentNonce } : {});
  }
}

function audiences({ tokenEndpoint, issuer, ownIssuer }: OauthStage): string[] {
  return [tokenEndpoint, issuer, ownIssuer];
}

function fromCode({ stage, form, client, jkt }: TokenRequest): AccessToken {
  const { grant, redirectUri, challenge } = stage.grants.redeem(form.get('code') ?? '');
  if (grant.clientId !== client.clientId) throw new OauthError('invalid_grant', 'the code is another client\'s');
  if (redirectUri !== form.get('redirect_uri')) throw new OauthError('invalid_grant', 'redirect_uri is another one');
  const verifier = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
  if (challenge !== null && challenge !== verifier) throw new OauthError('invalid_grant', 'the verifier does not fit');
  grant.jkt = jkt;
  return stage.grants.issue(grant);
}

function fromRefreshToken({ stage, form, client, jkt }: TokenRequest): AccessToken {
  const grant = stage.grants.useRefreshToken(form.get('refresh_token') ?? '', client.clientId);
  if (grant.jkt !== null && grant.jkt !== jkt) throw new OauthError('invalid_dpop_proof', 'the refresh token is bound to another key');
  const asked = scopesOf(form);
  if (asked.some((scope) => !grant.scopes.includes(scope))) throw new OauthError('invalid_scope', 'more than was agreed to');
  return stage.grants.issue(grant, asked.length === 0 ? grant.scopes : asked);
}

function fromCredentials({ stage, form, client, jkt }: TokenRequest): AccessToken {
  if (client.authMethod === 'none') throw new OauthError('unauthorized_client', 'public clients have no credentials');
  return withoutRefresh(stage, { user: `client:${client.clientId}`, clientId: client.clientId, scopes: scopesOf(form), resource: form.get('resource') }, jkt);
}

async function fromTrusted({ stage, form, client, jkt }: TokenRequest, token: string | null): Promise<AccessToken> {
  const { trust } = stage.behaviour;
  if (token === null || trust === null) throw new OauthError('invalid_grant', 'nobody is believed');
  const user = await trust(token).catch((error: unknown) => {
    throw new OauthError('invalid_grant', `not to be believed: ${String(error)}`);
  });
  return withoutRefresh(stage, { user, clientId: client.clientId, scopes: scopesOf(form), resource: form.get('resource') }, jkt);
}

function withoutRefresh({ grants }: OauthStage, given: Parameters<typeof grants.begin>[0], jkt: string | null): AccessToken {
  const issued = grants.issue(Object.assign(grants.begin(given), { jkt }));
  issued.grant.refreshToken = null;
  return issued;
}

function scopesOf(form: URLSearchParams): string[] {
  return (form.get('scope') ?? '').split(/[ ,]+/).filter(Boolean);
}
