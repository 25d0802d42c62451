import { createLocalJWKSet, errors as jose, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '@gatehouse/kernel';
import { errors } from 'oidc-provider';
import type { PublicSigningKey } from '../signing-keys.js';
import { issueAccessToken, specialRequest, textParameter, type SpecialGrantParts, type SpecialRequest } from './issue-access-token.js';

/** What token exchange works with. */
export interface ExchangeParts extends SpecialGrantParts {
  clock: Clock;
  publicKeys: () => readonly PublicSigningKey[];
  /** Whether a grant or an access token (by `jti`) is over before its time. */
  isDenied: (ids: readonly string[]) => Promise<boolean>;
}

/** RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SUBJECT_TYPES = [ACCESS_TOKEN, 'urn:ietf:params:oauth:token-type:jwt'];
const FOREIGN = ['actor_token', 'actor_token_type', 'audience'];

/**
 * A client that was called with an access token of ours goes on to another endpoint in the same name.
 * The new token has no more scope, lives no longer and ends with the one it came from; a token that is
 * bound to a key (DPoP) is not exchanged, because the new one would not be.
 */
export async function exchangeToken(ctx: Parameters<typeof specialRequest>[0], parts: ExchangeParts): Promise<void> {
  const request = specialRequest(ctx);
  refuseForeign(request);
  const resource = parts.resources.canonical(textParameter(request, 'resource'));
  const subject = await subjectOf(request, parts);
  if (resource === parts.resources.admin) throw new errors.InvalidTarget('the admin API takes no exchanged tokens');
  await parts.resources.info(resource);
  const lifeS = subject.exp! - Math.floor(parts.clock.now() / 1_000);
  const sources = [String(subject['gid']), subject.jti!];
  const scopes = String(subject['scope'] ?? '').split(' ');
  await issueAccessToken(request, parts, { accountId: subject.sub!, resource, scopes, lifeS, sources });
  Object.assign(ctx.body as object, { issued_token_type: ACCESS_TOKEN });
}

function refuseForeign({ params }: SpecialRequest): void {
  const foreign = FOREIGN.find((name) => params[name] !== undefined);
  if (foreign !== undefined) throw new errors.InvalidRequest(`${foreign} is not supported here`);
  const wanted = params['requested_token_type'];
  if (wanted !== undefined && wanted !== ACCESS_TOKEN) throw new errors.InvalidRequest('only access tokens are issued here');
}

// RFC 8693 section 2.2.2: a subject token that is refused is an invalid_request.
async function subjectOf(request: SpecialRequest, { origin, clock, publicKeys, isDenied }: ExchangeParts): Promise<JWTPayload> {
  const token = textParameter(request, 'subject_token');
  if (!SUBJECT_TYPES.includes(textParameter(request, 'subject_token_type'))) throw new errors.InvalidRequest('subject_token_type is not supported');
  const keys = createLocalJWKSet({ keys: publicKeys().map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, alg: 'ES256' })) });
  const verify = { issuer: origin, typ: 'at+jwt', algorithms: ['ES256'], currentDate: new Date(clock.now()), requiredClaims: ['sub', 'gid', 'jti', 'exp', 'aud'] };
  const { payload } = await jwtVerify(token, keys, verify).catch(notOurs);
  if (payload['cnf'] !== undefined) throw new errors.InvalidRequest('subject_token is bound to a key');
  if (await isDenied([String(payload['gid']), payload.jti!])) throw new errors.InvalidRequest('subject_token was revoked');
  return payload;
}

function notOurs(error: unknown): never {
  if (error instanceof jose.JOSEError) throw new errors.InvalidRequest('subject_token is no valid access token of this server', undefined, { cause: error } as never);
  throw error;
}
