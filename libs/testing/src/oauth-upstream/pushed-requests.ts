import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Arrived } from './listener.js';
import { OauthError, sendJson } from './oauth-error.js';
import type { OauthStage } from './oauth-stage.js';

const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const pushed = new WeakMap<OauthStage, Map<string, URLSearchParams>>();

/** Keeps an authorization request that a client pushed (RFC 9126 section 2), once it proved to be itself. */
export async function answerPushed(stage: OauthStage, { body, headers }: Arrived, response: ServerResponse): Promise<void> {
  if (!stage.behaviour.pushed) return void response.writeHead(404).end();
  const form = new URLSearchParams(body);
  await stage.clients.authenticate(form, headers.authorization, [stage.ownIssuer, stage.tokenEndpoint, `${stage.base}/par`]);
  const requestUri = `${PREFIX}${randomBytes(16).toString('base64url')}`;
  const kept = pushed.get(stage) ?? new Map<string, URLSearchParams>();
  pushed.set(stage, kept.set(requestUri, form));
  sendJson(response, 201, { request_uri: requestUri, expires_in: 60 });
}

/** What an authorization request asks for: what was pushed, where everything must be (RFC 9126 section 4). Throws for what was not. */
export function requested(stage: OauthStage, query: URLSearchParams): URLSearchParams {
  if (!stage.behaviour.pushed) return query;
  const form = pushed.get(stage)?.get(query.get('request_uri') ?? '');
  if (form === undefined || form.get('client_id') !== query.get('client_id')) throw new OauthError('invalid_request', 'nothing was pushed');
  return form;
}
