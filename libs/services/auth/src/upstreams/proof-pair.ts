import { createPrivateKey, createPublicKey } from 'node:crypto';
import { Secret } from '@gatehouse/kernel';
import { randomDPoPKeyPair, type CryptoKeyPair } from 'openid-client';
import type { FoundServer } from './found-server.js';

/** The key that tokens are bound to (RFC 9449): for a library, and as it is kept (PKCS #8 DER in base64url). */
export interface ProofPair {
  pair: CryptoKeyPair;
  kept: Secret;
}

const ALG = 'ES256';
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/**
 * Whether tokens are asked for that are bound to a key: where the server itself speaks of it, and its
 * authorization server can, or the server insists. Many authorization servers can whose servers know
 * nothing but bearer tokens, and would refuse a bound one.
 */
export function wantsProofs({ metadata, proofs = 'none' }: Pick<FoundServer, 'metadata' | 'proofs'>): boolean {
  const offered: unknown = metadata['dpop_signing_alg_values_supported'];
  return proofs === 'required' || (proofs === 'spoken' && Array.isArray(offered) && offered.includes(ALG));
}

/** A new key. */
export async function newProofPair(): Promise<ProofPair> {
  const pair = await randomDPoPKeyPair(ALG, { extractable: true });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
  const kept = Secret.fromText(der.toString('base64url'));
  der.fill(0);
  return { pair, kept };
}

/** The key that was kept, as one of its own: what is given may be wiped. */
export async function keptProofPair(kept: Secret): Promise<ProofPair> {
  const der = kept.use((bytes) => Buffer.from(bytes.toString('latin1'), 'base64url'));
  try {
    const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
    const privateKey = await crypto.subtle.importKey('pkcs8', der, CURVE, false, ['sign']);
    const publicKey = await crypto.subtle.importKey('jwk', jwk, CURVE, true, ['verify']);
    return { pair: { privateKey, publicKey }, kept: kept.use((bytes) => Secret.of(Buffer.from(bytes))) };
  } finally {
    der.fill(0);
  }
}
