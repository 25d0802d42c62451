import { createLocalJWKSet, errors as joseErrors, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '@gatehouse/kernel';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { deny } from './end-grants.js';
import type { PublicSigningKey } from './signing-keys.js';

/** What ending one access token needs. */
export interface TokenRevocationParts {
  origin: string;
  changes: DirectoryChanges;
  clock: Clock;
  publicKeys: () => readonly PublicSigningKey[];
}

/**
 * RFC 7009 for our JWT access tokens, which the library cannot end because nobody stores them (A11): a
 * public client gives back a token of its own, and the edges refuse it from then on. Returns false for
 * whatever it does not decide: a client that must prove who it is, and text that is no token of ours.
 */
export async function revokeAccessToken(parts: TokenRevocationParts, token: string, form: URLSearchParams, authorization: string | undefined): Promise<boolean> {
  if (authorization !== undefined || form.has('client_secret') || form.has('client_assertion')) return false;
  const claims = await ownClaims(parts, token);
  if (claims === undefined) return false;
  // RFC 7009 section 2.1: a token of another client is not revoked, and the client learns nothing of it.
  if (claims['client_id'] !== form.get('client_id') || typeof claims.jti !== 'string') return true;
  const { jti } = claims;
  await parts.changes.apply(async (tx) => {
    await deny(tx, jti, parts.clock.now());
    return { result: undefined, changed: true };
  });
  return true;
}

async function ownClaims({ origin, publicKeys, clock }: TokenRevocationParts, token: string): Promise<JWTPayload | undefined> {
  const keys = createLocalJWKSet({ keys: publicKeys().map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, alg: 'ES256' })) });
  try {
    return (await jwtVerify(token, keys, { issuer: origin, typ: 'at+jwt', algorithms: ['ES256'], currentDate: new Date(clock.now()) })).payload;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return undefined;
    throw error;
  }
}
