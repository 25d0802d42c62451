import { hash } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { SKEW_MS, type VerifiedToken } from './access-token.js';
import { parseJwt, type Jwt } from './jwt.js';
import { notAccepted } from './not-accepted.js';
import type { PresentedToken, TokenUse } from './presented-token.js';

/** Algorithms a proof may be signed with. */
export const PROOF_ALGS = ['ES256', 'EdDSA'] as const;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

// Strict: a key with private members was given away by whoever sent it, and proves nothing any more.
const described = { kid: z.string().optional(), alg: z.string().optional(), use: z.literal('sig').optional(), ext: z.boolean().optional(), key_ops: z.array(z.string()).optional() };
const ecKey = z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, ...described });
const okpKey = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, ...described });

const proofHeader = z.discriminatedUnion('alg', [
  z.strictObject({ typ: z.literal('dpop+jwt'), alg: z.literal('ES256'), jwk: ecKey }),
  z.strictObject({ typ: z.literal('dpop+jwt'), alg: z.literal('EdDSA'), jwk: okpKey }),
]);

const proofClaims = z.object({
  jti: z.string().min(1).max(512),
  htm: z.string(),
  htu: z.string().max(2_048),
  iat: z.number(),
  ath: z.string(),
});

/** A proof that holds but for its being used once: name of it in the store, and how long it could be used again. */
export interface ProofUse {
  readonly key: string;
  readonly ttlMs: number;
}

/** Longest time in which one proof could pass twice: its moment may lie as far ahead as behind. */
const REPLAY_MS = 2 * SKEW_MS + 1_000;

/**
 * Checks the proof of possession of a bound token (RFC 9449 section 4.3), all but its being used once.
 * Refuses with `unauthenticated`.
 */
export async function checkProof(presented: PresentedToken, token: VerifiedToken, use: TokenUse, now: number): Promise<ProofUse> {
  if (presented.proof === undefined || token.jkt === null) throw notAccepted();
  const jwt = parseJwt(presented.proof);
  const jwk = keyOf(jwt);
  const { jti, htm, htu, iat, ath } = claimsOf(jwt);
  const holds = htm === use.method && isSameAddress(htu, use.address) && Math.abs(iat * 1_000 - now) <= SKEW_MS;
  if (!holds || ath !== hash('sha256', presented.text, 'base64url')) throw notAccepted();
  if ((await calculateJwkThumbprint(jwk, 'sha256')) !== token.jkt) throw notAccepted();
  const alg = String(jwt.header['alg']);
  await compactVerify(jwt.text, await importJWK(jwk, alg), { algorithms: [alg] });
  return { key: `gateway:dpop:${hash('sha256', JSON.stringify([token.jkt, jti]), 'base64url')}`, ttlMs: REPLAY_MS };
}

function keyOf({ header }: Jwt): JWK {
  const { success, data } = proofHeader.safeParse(header);
  if (!success) throw notAccepted();
  const { kty, crv, x } = data.jwk;
  return data.jwk.kty === 'EC' ? { kty, crv, x, y: data.jwk.y } : { kty, crv, x };
}

function claimsOf({ payload }: Jwt): z.infer<typeof proofClaims> {
  const { success, data } = proofClaims.safeParse(payload);
  if (!success) throw notAccepted();
  return data;
}

// Query and fragment do not count (section 4.3, step 9); the rest is compared as RFC 3986 section 6.2.2 normalises it.
function isSameAddress(htu: string, address: string): boolean {
  if (!URL.canParse(htu)) return false;
  const { origin, pathname, username, password } = new URL(htu);
  return username === '' && password === '' && `${origin}${pathname}` === address;
}
