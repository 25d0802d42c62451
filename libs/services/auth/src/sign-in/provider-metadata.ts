import { systemClock, type Clock } from '@gatehouse/kernel';
import { guardedFetch, type Outbound } from '@gatehouse/outbound';
import type { Logger } from '@gatehouse/telemetry';
import { createRemoteJWKSet, customFetch as joseFetch, type JWTVerifyGetKey } from 'jose';
import { allowInsecureRequests, customFetch, discovery, None, type ServerMetadata } from 'openid-client';
import { factsOf } from './provider-answers.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** Where a provider is, and whether it may be near. */
export interface ProviderAddress {
  issuer: string;
  allowPrivateNetwork: boolean;
}

/** What is known of a provider. */
export interface KnownProvider {
  metadata: Readonly<ServerMetadata>;
  /** Its signing keys, fetched when needed and again when a token names one that is not among them. */
  keys: JWTVerifyGetKey;
}

/** A `fetch` to the provider, through the guard. */
export type ProviderFetch = ReturnType<typeof guardedFetch>;

/** Signatures that id_tokens and logout tokens may have: `none` and every HMAC are out. */
export const SIGNATURES = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'];

const FRESH_MS = 3_600_000;
const MAX_BYTES = 262_144;
const MAX_KNOWN = 200;

/** What `ProviderMetadataCache` works with. */
export interface MetadataParts {
  outbound: Outbound;
  log: Logger;
  clock?: Clock;
  /** Longest wait for one answer of a provider; five seconds unless told. */
  timeoutMs?: number;
}

/** Discovery documents (OpenID Connect Discovery 1.0) for an hour; the old one serves on while the provider is down. */
export class ProviderMetadataCache {
  private readonly known = new Map<string, KnownProvider & { at: number }>();
  private readonly asking = new Map<string, Promise<KnownProvider>>();
  private readonly clock: Clock;

  constructor(private readonly parts: MetadataParts) {
    this.clock = parts.clock ?? systemClock;
  }

  /** What is known of the provider. Rejects with the library's error or the guard's refusal when nothing is and nothing can be learned. */
  async of(address: ProviderAddress): Promise<KnownProvider> {
    const key = keyOf(address);
    const known = this.known.get(key);
    if (known !== undefined && this.clock.monotonicMs() - known.at < FRESH_MS) return known;
    if (known === undefined) return this.ask(address);
    return this.ask(address).catch((error: unknown) => {
      this.parts.log.warn({ ...factsOf(error), issuer: address.issuer }, 'the identity provider’s metadata cannot be read again; the old one is used');
      return known;
    });
  }

  /** The guarded `fetch` for this provider. */
  fetchFor({ allowPrivateNetwork }: ProviderAddress): ProviderFetch {
    return guardedFetch(this.parts.outbound, { allowPrivateNetwork, maxBytes: MAX_BYTES, timeoutMs: this.parts.timeoutMs ?? 5_000 });
  }

  private ask(address: ProviderAddress): Promise<KnownProvider> {
    const key = keyOf(address);
    const asking = this.asking.get(key) ?? this.discover(address).finally(() => this.asking.delete(key));
    this.asking.set(key, asking);
    return asking;
  }

  private async discover(address: ProviderAddress): Promise<KnownProvider> {
    const fetch = this.fetchFor(address);
    const options = { [customFetch]: fetch, ...(isPlain(address.issuer) ? { execute: [allowInsecureRequests] } : {}) };
    const found = (await discovery(new URL(address.issuer), 'discovery', undefined, None(), options)).serverMetadata();
    const known = { metadata: checked(found, address.issuer), keys: keysOf(found, fetch) };
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(keyOf(address), { ...known, at: this.clock.monotonicMs() });
    return known;
  }
}

/** Whether a provider is reached by plain http: one on loopback or a private network, with the allowance. */
export function isPlain(issuer: string): boolean {
  return issuer.startsWith('http:');
}

// The library forgives Entra ID's issuer templates, which stand for any organisation at all.
function checked(found: ServerMetadata, issuer: string): ServerMetadata {
  if (new URL(found.issuer).href !== new URL(issuer).href) throw new SignInRefusal('bad_answer', { cause: new Error('another issuer') });
  const offered = found.id_token_signing_alg_values_supported ?? ['RS256'];
  return { ...found, id_token_signing_alg_values_supported: offered.filter((alg) => SIGNATURES.includes(alg)) };
}

function keysOf({ jwks_uri: uri }: ServerMetadata, fetch: ProviderFetch): JWTVerifyGetKey {
  if (uri === undefined || !URL.canParse(uri)) throw new SignInRefusal('bad_answer', { cause: new Error('no jwks_uri') });
  return createRemoteJWKSet(new URL(uri), { [joseFetch]: fetch });
}

function keyOf({ issuer, allowPrivateNetwork }: ProviderAddress): string {
  return `${allowPrivateNetwork ? 'private' : 'public'} ${issuer}`;
}
