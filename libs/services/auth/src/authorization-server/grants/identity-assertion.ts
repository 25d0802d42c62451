import type { Clock } from '@gatehouse/kernel';
import { decodeJwt, errors as jose, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { errors } from 'oidc-provider';
import { ACCESS_TOKEN_MS } from '../end-grants.js';
import { issueAccessToken, specialRequest, textParameter, type SpecialGrantParts, type SpecialRequest } from './issue-access-token.js';

/** A provider of the company's whose identity assertions are accepted. */
export interface AssertionIssuer {
  /** Compared exactly with `iss`; its people are known under it. */
  issuer: string;
  /** Its keys, fetched through the guard and at most once in 30 s for an unknown `kid`. */
  keys: JWTVerifyGetKey;
}

/** What the ID-JAG grant works with. */
export interface AssertionParts extends SpecialGrantParts {
  clock: Clock;
  /** The provider of this issuer, when it is enabled and its assertions are accepted. */
  assertionIssuer: (issuer: string) => Promise<AssertionIssuer | undefined>;
  /** Who a subject of an issuer is here. */
  personOf: (issuer: string, subject: string) => Promise<string | undefined>;
}

/** RFC 7523, as the identity assertion authorization grant uses it. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const TYP = 'oauth-id-jag+jwt';
const SIGNATURES = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];
const LONGEST_LIFE_S = 300;
const SKEW_S = 30;
const JTI_CHARS = 256;

interface Assertion {
  iss: string;
  sub: string;
  jti: string;
  exp: number;
  resource: string;
  scopes: readonly string[];
}

/**
 * The company's provider says in a signed assertion that this person may use this client here
 * (draft-ietf-oauth-identity-assertion-authz-grant, MCP enterprise-managed authorization): whoever holds
 * it gets an access token for the one endpoint it names. Used once; whatever is wrong is `invalid_grant`.
 */
export async function exchangeIdentityAssertion(ctx: Parameters<typeof specialRequest>[0], parts: AssertionParts): Promise<void> {
  const request = specialRequest(ctx);
  const assertion = await verified(request, parts);
  const asked = request.params['resource'];
  const resource = parts.resources.canonical(assertion.resource);
  if (asked !== undefined && asked !== resource) throw new errors.InvalidTarget('the assertion is for another resource');
  if (resource === parts.resources.admin) throw new errors.InvalidTarget('the admin API takes no identity assertions');
  await parts.resources.info(resource);
  const accountId = await parts.personOf(assertion.iss, assertion.sub);
  if (accountId === undefined) throw nobodyHere();
  await useUp(request, assertion);
  await issueAccessToken(request, parts, { accountId, resource, scopes: assertion.scopes, lifeS: ACCESS_TOKEN_MS / 1_000, sources: [] });
}

async function verified(request: SpecialRequest, parts: AssertionParts): Promise<Assertion> {
  const text = textParameter(request, 'assertion');
  const issuer = await parts.assertionIssuer(issuerOf(text)).catch(keysAway);
  if (issuer === undefined) throw new errors.InvalidGrant('the issuer of the assertion is not trusted');
  const currentDate = new Date(parts.clock.now());
  const { payload } = await jwtVerify(text, issuer.keys, {
    ...{ typ: TYP, algorithms: SIGNATURES, issuer: issuer.issuer, audience: parts.origin, currentDate },
    requiredClaims: ['sub', 'jti', 'iat', 'exp', 'client_id', 'resource'],
    clockTolerance: 0,
  }).catch(notVerified);
  return claimsOf(payload, request.client.clientId, Math.floor(currentDate.getTime() / 1_000));
}

function issuerOf(text: string): string {
  try {
    return String(decodeJwt(text).iss);
  } catch (cause) {
    throw new errors.InvalidGrant({ cause, detail: 'the assertion is not a JWT' } as never);
  }
}

// That the provider's keys cannot be fetched is no fault of the client's: it may try again with the same assertion.
function notVerified(error: unknown): never {
  const isClients = error instanceof jose.JOSEError && !(error instanceof jose.JWKSTimeout) && error.constructor !== jose.JOSEError;
  if (isClients) throw new errors.InvalidGrant({ cause: error, detail: `the assertion is refused: ${error.code}` } as never);
  return keysAway(error);
}

function keysAway(cause: unknown): never {
  throw Object.assign(new errors.TemporarilyUnavailable('what the identity provider says of itself cannot be read; try again'), { status: 503, statusCode: 503, cause });
}

// The provider vouches for them, so this tells nobody anything new. People are made by signing in, never by an assertion.
function nobodyHere(): Error {
  return Object.assign(new errors.InvalidGrant('unknown subject'), { error_description: 'this person is not known here yet; they must sign in to Gatehouse once' });
}

function claimsOf(payload: JWTPayload, clientId: string, nowS: number): Assertion {
  const { iss, sub, jti, exp, resource, scope = 'mcp:access' } = payload;
  const problem = problemOf(payload, clientId, nowS);
  if (problem !== undefined) throw new errors.InvalidGrant(`the assertion ${problem}`);
  const scopes = (scope as string).split(' ').filter((each) => each !== '');
  if (scopes.some((each) => each !== 'mcp:access')) throw new errors.InvalidScope('an identity assertion gives mcp:access and nothing else', scope as string);
  return { iss: iss!, sub: sub!, jti: jti!, exp: exp!, resource: resource as string, scopes };
}

function problemOf({ sub, aud, jti, iat, exp, client_id: client, resource, scope = '' }: JWTPayload, clientId: string, nowS: number): string | undefined {
  if ([sub, jti, resource, scope].some((claim) => typeof claim !== 'string') || sub === '' || jti!.length > JTI_CHARS) return 'has a claim of the wrong type';
  if (Array.isArray(aud) && aud.length !== 1) return 'has several audiences';
  if (client !== clientId) return 'was given to another client';
  return isShort(iat!, exp!, nowS) ? undefined : 'has a life that is not accepted';
}

function isShort(iat: number, exp: number, nowS: number): boolean {
  return iat <= nowS + SKEW_S && exp > iat && exp - iat <= LONGEST_LIFE_S;
}

async function useUp({ ctx }: SpecialRequest, { iss, jti, exp }: Assertion): Promise<void> {
  const isFirst = await ctx.oidc.provider.ReplayDetection.unique(iss, jti, exp + SKEW_S);
  if (!isFirst) throw new errors.InvalidGrant('the assertion was used before');
}
