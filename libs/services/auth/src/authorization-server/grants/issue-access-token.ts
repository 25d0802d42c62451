import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientDocuments } from '../client-documents.js';
import type { ClientStore } from '../client-store.js';
import type { Resources } from '../resources.js';
import type { SignedIn } from '../signed-in.js';

/** What the special grants share. */
export interface SpecialGrantParts {
  origin: string;
  resources: Resources;
  documents: ClientDocuments;
  clients: ClientStore;
  signedIn: SignedIn;
}

/** An access token that a special grant came to. */
export interface WantedToken {
  accountId: string;
  /** In its one spelling. */
  resource: string;
  /** What was given, before what the request narrows it to. */
  scopes: readonly string[];
  /** Longest life (s). */
  lifeS: number;
  /** Grants and tokens it was derived from: it ends with each of them. */
  sources: readonly string[];
}

/** One request to the token endpoint, by a client that proved who it is. */
export interface SpecialRequest {
  ctx: KoaContextWithOIDC;
  client: Client;
  params: Readonly<Record<string, unknown>>;
}

/** The request behind a context; refuses with `unauthorized_client` a client that proved nothing. */
export function specialRequest(ctx: KoaContextWithOIDC): SpecialRequest {
  const client = ctx.oidc.client!;
  if (client.clientAuthMethod === 'none') throw new errors.UnauthorizedClient('this grant is for confidential clients');
  return { ctx, client, params: ctx.oidc.params ?? {} };
}

/** A parameter that must be there, once. Refuses with `invalid_request`. */
export function textParameter({ params }: SpecialRequest, name: string): string {
  const value = params[name];
  if (typeof value !== 'string' || value === '') throw new errors.InvalidRequest(`missing required parameter ${name}`);
  return value;
}

/**
 * Gives an access token without a refresh token, under a grant of its own that is listed and can be
 * revoked. Refuses with `invalid_grant` a caller who is disabled, with `invalid_target` and
 * `invalid_scope` what was not given.
 */
export async function issueAccessToken(request: SpecialRequest, parts: SpecialGrantParts, wanted: WantedToken): Promise<void> {
  const { ctx, client } = request;
  const { provider } = ctx.oidc;
  const account = await parts.signedIn.account(wanted.accountId);
  if (account === undefined) throw new errors.InvalidGrant('the account is disabled');
  const info = await parts.documents.resourceFor(client, wanted.resource, parts.resources);
  const scope = narrowed(request, wanted, info.scope);
  const lifeS = Math.min(wanted.lifeS, info.accessTokenTTL ?? wanted.lifeS);
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId, expiresIn: lifeS } as never);
  grant.addResourceScope(wanted.resource, scope);
  const grantId = await grant.save();
  await parts.clients.noteSources(grantId, wanted.sources);
  const token = new provider.AccessToken({ accountId: account.accountId, client, grantId, gty: String(request.params['grant_type']), expiresIn: lifeS } as never);
  token.resourceServer = new provider.ResourceServer(wanted.resource, info);
  token.scope = scope;
  ctx.oidc.entity('Account', account);
  ctx.oidc.entity('AccessToken', token);
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: lifeS, scope };
}

function narrowed({ params }: SpecialRequest, { scopes }: WantedToken, offered: string): string {
  const given = scopes.filter((scope) => offered.split(' ').includes(scope));
  const asked = typeof params['scope'] === 'string' ? params['scope'].split(' ').filter((scope) => scope !== '') : given;
  const beyond = asked.find((scope) => !given.includes(scope));
  if (beyond !== undefined || asked.length === 0) throw new errors.InvalidScope('the scope was not given for this resource', beyond ?? '');
  return [...new Set(asked)].join(' ');
}
