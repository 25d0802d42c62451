import type { ServerResponse } from 'node:http';
import type { Client } from './clients.js';
import type { Arrived } from './listener.js';
import { OauthError, sendHtml, sendJson } from './oauth-error.js';
import type { OauthStage } from './oauth-stage.js';

/** Registers a client (RFC 7591) in the words the behaviour says. */
export function answerRegistration(stage: OauthStage, { body }: Arrived, response: ServerResponse): void {
  const { registration } = stage.behaviour;
  if (registration === 'none') return void response.writeHead(404).end();
  if (registration === 'html') return sendHtml(response, 200);
  if (registration === 'refused') throw new OauthError('invalid_client_metadata', 'this client is not welcome');
  if (registration === 'gated') throw new OauthError('access_denied', 'ask our sales people to be put on the list', 403);
  const asked = JSON.parse(body) as Record<string, unknown>;
  if ('resource' in asked) throw new OauthError('invalid_client_metadata', 'unknown member resource');
  const client = stage.clients.register(asked);
  sendJson(response, registration === 'status-200' ? 200 : 201, registration === 'nulls' ? withNulls(client) : plain(stage, client, asked));
}

function plain({ behaviour }: OauthStage, { clientId, clientSecret, authMethod }: Client, asked: Record<string, unknown>): object {
  const expires = behaviour.clientSecretSeconds === 0 ? 0 : Math.floor(Date.now() / 1_000) + behaviour.clientSecretSeconds;
  return {
    ...asked,
    client_id: clientId,
    client_id_issued_at: Math.floor(Date.now() / 1_000),
    token_endpoint_auth_method: authMethod,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret, client_secret_expires_at: expires }),
    ...behaviour.registrationMembers,
  };
}

function withNulls({ clientId, clientSecret, authMethod }: Client): object {
  return {
    client_id: clientId,
    client_secret: clientSecret ?? null,
    client_secret_expires_at: clientSecret === undefined ? null : '0',
    client_uri: '',
    logo_uri: null,
    registration_client_uri: null,
    scope: '',
    token_endpoint_auth_method: authMethod,
  };
}
