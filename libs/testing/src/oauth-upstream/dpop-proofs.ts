import { createHash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import type { Arrived } from './listener.js';

/** Where a proof is shown. */
export interface ProofPlace {
  /** Address of the endpoint, without query. */
  url: string;
  /** The token it goes with; none at the token endpoint. */
  token?: string;
  /** The key the token is bound to. */
  jkt?: string;
  /** Whether it must hold the nonce of the moment. */
  needsNonce: boolean;
}

/** Why a proof is not taken: the word of RFC 9449 for it. */
export class ProofRefused extends Error {
  constructor(
    readonly error: 'invalid_dpop_proof' | 'use_dpop_nonce',
    why: string,
  ) {
    super(why);
  }
}

const OFF_S = 60;

/** Checks proofs of possession as RFC 9449 section 4.3 asks, each taken once. */
export class DpopProofs {
  private readonly seen = new Set<string>();
  private nonce = newNonce();

  /** The nonce that proofs must hold where one is asked for. */
  get presentNonce(): string {
    return this.nonce;
  }

  /** From now on another nonce is asked for. */
  changeNonce(): void {
    this.nonce = newNonce();
  }

  /** The thumbprint of the key that the request proves to have; rejects with `ProofRefused`. */
  async check({ headers, method }: Pick<Arrived, 'headers' | 'method'>, place: ProofPlace): Promise<string> {
    const { dpop: proof } = headers;
    if (typeof proof !== 'string' || proof.includes(',')) throw refused('one proof is wanted');
    const { claims, jkt } = await verified(proof);
    this.takeOnce(claims.jti);
    refuseElsewhere(claims, { method, ...place });
    if (place.jkt !== undefined && place.jkt !== jkt) throw refused('the token is bound to another key');
    if (place.needsNonce && claims['nonce'] !== this.nonce) throw new ProofRefused('use_dpop_nonce', 'the nonce is wanted');
    return jkt;
  }

  private takeOnce(jti: string | undefined): void {
    if (jti === undefined || this.seen.has(jti)) throw refused('the proof was used before');
    this.seen.add(jti);
  }
}

function refuseElsewhere({ iat = 0, htm, htu, ath }: JWTPayload, { method, url, token }: { method: string; url: string; token?: string }): void {
  if (htm !== method || htu !== url) throw refused(`the proof is for ${String(htm)} ${String(htu)}`);
  if (Math.abs(Date.now() / 1_000 - iat) > OFF_S) throw refused('the proof is not of now');
  if (ath !== (token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'))) throw refused('the proof is for another token');
}

async function verified(proof: string): Promise<{ claims: JWTPayload; jkt: string }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] });
    return { claims: payload, jkt: await calculateJwkThumbprint(protectedHeader.jwk!) };
  } catch (error) {
    throw refused(`not a proof: ${String(error)}`);
  }
}

function refused(why: string): ProofRefused {
  return new ProofRefused('invalid_dpop_proof', why);
}

function newNonce(): string {
  return randomBytes(12).toString('base64url');
}
