import { hash } from 'node:crypto';
import { clientId, grantId } from '@gatehouse/contracts';
import { z } from 'zod';
import type { Trust, TrustedKey } from '../snapshot/trusted-keys.js';
import type { Jwt } from './jwt.js';
import { notAccepted } from './not-accepted.js';

/** What a verified access token says, as far as we use it. Nothing in it is a secret. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly trust: 'own' | 'external';
  readonly key: Pick<TrustedKey, 'id' | 'fingerprint'>;
  readonly audience: readonly string[];
  readonly subject: string;
  readonly clientId: string | null;
  readonly scopes: ReadonlySet<string>;
  /** What sessions are bound to: a refreshed token of the same grant keeps its session. */
  readonly grantId: string;
  readonly jti: string | null;
  /** Epoch milliseconds, leeway included on both sides. */
  readonly usableFrom: number;
  readonly usableUntil: number;
  /** Thumbprint of the key whose possession must be proven (RFC 9449); null for bearer tokens. */
  readonly jkt: string | null;
}

/** How far the clocks of issuer and edge may be apart, in milliseconds. */
export const SKEW_MS = 60_000;

const seconds = z.number().min(0).max(4_102_444_800);
// Another kind of binding (a client certificate) is none we can check: such a token must not pass as a bearer token.
const confirmation = z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional();
const times = { iss: z.string(), exp: seconds, nbf: seconds.optional(), cnf: confirmation };

/** RFC 9068 section 2.2, with the grant; one audience. */
const ownClaims = z.object({
  ...times,
  iat: seconds,
  aud: z.string(),
  sub: z.string().max(128),
  client_id: clientId,
  jti: grantId,
  gid: grantId,
  scope: z.string().max(1_000),
});

/** What the access tokens of other servers have in common. */
const externalClaims = z.object({
  ...times,
  iat: seconds.optional(),
  aud: z.union([z.string(), z.array(z.string()).min(1).max(50)]),
  sub: z.string().min(1).max(255),
  client_id: clientId.optional(),
  azp: clientId.optional(),
  jti: z.string().max(512).optional(),
  scope: z.string().max(4_000).optional(),
  scp: z.union([z.array(z.string().max(500)).max(200), z.string().max(4_000)]).optional(),
});

/** Reads the claims of a token whose header names `key`; refuses with `unauthenticated`. Times are not judged here. */
export function readClaims(jwt: Jwt, trust: Trust, key: TrustedKey): VerifiedToken {
  return trust.name === null ? ownToken(jwt, key) : externalToken(jwt, trust.name, key);
}

function ownToken({ payload }: Jwt, key: TrustedKey): VerifiedToken {
  const { success, data } = ownClaims.safeParse(payload);
  if (!success) throw notAccepted();
  return {
    ...partsOf(data, key),
    trust: 'own',
    audience: [data.aud],
    clientId: data.client_id,
    scopes: new Set(data.scope.split(' ')),
    grantId: data.gid,
    jti: data.jti,
  };
}

const MCP_SCOPE = 'mcp:access';

function externalToken({ payload }: Jwt, name: string, key: TrustedKey): VerifiedToken {
  const { success, data } = externalClaims.safeParse(payload);
  if (!success) throw notAccepted();
  const client = data.client_id ?? data.azp ?? null;
  const said = [data.scope ?? '', data.scp ?? ''].flatMap((scopes) => (typeof scopes === 'string' ? scopes.split(' ') : scopes));
  return {
    ...partsOf(data, key),
    trust: 'external',
    audience: typeof data.aud === 'string' ? [data.aud] : data.aud,
    clientId: client,
    // Nobody outside says who administers Gatehouse.
    scopes: new Set(said.filter((scope) => scope === MCP_SCOPE)),
    grantId: `ext_${name}_${hash('sha256', JSON.stringify([data.sub, client]), 'base64url').slice(0, 32)}`,
    jti: data.jti ?? null,
  };
}

type Times = { iss: string; sub: string; exp: number; nbf?: number | undefined; iat?: number | undefined; cnf?: { jkt: string } | undefined };

function partsOf({ iss, sub, exp, nbf = 0, iat = 0, cnf }: Times, { id, fingerprint }: TrustedKey) {
  const usableFrom = Math.max(nbf, iat) * 1_000 - SKEW_MS;
  return { issuer: iss, subject: sub, key: { id, fingerprint }, usableFrom, usableUntil: exp * 1_000 + SKEW_MS, jkt: cnf?.jkt ?? null };
}
