import { hash } from 'node:crypto';
import type { Clock } from '@gatehouse/kernel';
import type { HeardAnswer, Stamp, StampedRequest } from '@gatehouse/outbound';
import { ProofKey } from './proof-key.js';

interface KnownKey {
  readonly key: ProofKey;
  /** Monotonic milliseconds. */
  readonly until: number;
}

const SCHEME = 'DPoP ';
/** A request that was made ready in the last moment of a lease is sent a moment later. */
const REST_MS = 30_000;
const MOST_NONCES = 1_000;
/** RFC 9449 section 8.1. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/;
const WANTS_NONCE = /\buse_dpop_nonce\b/;

/**
 * Proofs of possession (RFC 9449) for the requests that carry a bound token, whoever sends them: a call,
 * a probe, a connection of HTTP+SSE. Found by the token, so that no other request can get one; tokens
 * themselves are not kept.
 */
export class UpstreamProofs implements Stamp {
  readonly header = 'dpop';
  readonly #keys = new Map<string, KnownKey>();
  readonly #nonces = new Map<string, string>();

  constructor(private readonly clock: Clock) {}

  /** Makes proofs for this token for so long; `pkcs8` is DER in base64url. Throws as `ProofKey` does. */
  know(token: string, pkcs8: string, forMs: number): void {
    const name = hash('sha256', token, 'base64url');
    const known = { key: new ProofKey(pkcs8), until: this.clock.monotonicMs() + forMs + REST_MS };
    this.#keys.set(name, known);
    const forget = (): void => void (this.#keys.get(name) === known && this.#keys.delete(name));
    setTimeout(forget, forMs + REST_MS).unref();
  }

  value({ method, origin, address, headers }: StampedRequest): string | undefined {
    const line = headers['authorization'];
    if (line?.startsWith(SCHEME) !== true) return undefined;
    const ath = hash('sha256', line.slice(SCHEME.length), 'base64url');
    const known = this.#keys.get(ath);
    if (known === undefined || known.until <= this.clock.monotonicMs()) return undefined;
    const nonce = this.#nonces.get(origin);
    return known.key.proof({ htm: method, htu: address, ath, ...(nonce === undefined ? {} : { nonce }) }, this.clock.now());
  }

  /** Remembers the nonce that a server gives with any answer; true when it says no for want of it (RFC 9449 section 9). */
  heard({ origin, status, headers }: HeardAnswer): boolean {
    const nonce = headers['dpop-nonce'];
    if (typeof nonce !== 'string' || !NONCE.test(nonce)) return false;
    this.#remember(origin, nonce);
    return status === 401 && WANTS_NONCE.test(String(headers['www-authenticate'] ?? ''));
  }

  #remember(origin: string, nonce: string): void {
    this.#nonces.delete(origin);
    if (this.#nonces.size >= MOST_NONCES) this.#nonces.delete(this.#nonces.keys().next().value!);
    this.#nonces.set(origin, nonce);
  }
}
