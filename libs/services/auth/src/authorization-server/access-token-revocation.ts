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
 * client that proved who it is gives back a token of its own, and the edges refuse it from then on.
 * Whatever else it gives back, nothing happens and it learns nothing (section 2.1, 2.2).
 */
export async function revokeAccessToken(parts: TokenRevocationParts, token: string, clientId: string): Promise<void> {
  const claims = await ownClaims(parts, token);
  if (claims?.['client_id'] !== clientId || typeof claims.jti !== 'string') return;
  const { jti } = claims;
  await parts.changes.apply(async (tx) => {
    await deny(tx, jti, parts.clock.now());
    return { result: undefined, changed: true };
  });
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
