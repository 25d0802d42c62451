import { directoryContracts } from '@gatehouse/contracts';
import { isJsonObject, Refusal, type JsonValue } from '@gatehouse/kernel';
import { guardedFetch, type Outbound } from '@gatehouse/outbound';
import type { IssuerSettings } from './token-issuer-rows.js';

type Keys = directoryContracts.Directory['issuers'][number]['keys'];

const LIMITS = { maxBytes: 262_144, timeoutMs: 5_000 };
const MOST_KEYS = 50;

/**
 * The public keys of an issuer, from where it says they are or where the administrator said. What is no
 * signing key we verify with is left out. Refuses with `url_refused`, `upstream_unreachable`,
 * `upstream_timeout`, and `upstream_invalid` when nothing usable came back.
 */
export async function fetchIssuerKeys(outbound: Outbound, { issuer, jwksUri, allowPrivateNetwork }: IssuerSettings): Promise<Keys> {
  const fetch = guardedFetch(outbound, { ...LIMITS, allowPrivateNetwork });
  const set = await json(fetch, jwksUri ?? (await keysAddress(fetch, issuer)));
  const listed = Array.isArray(set['keys']) ? set['keys'].slice(0, MOST_KEYS) : [];
  const keys = listed.flatMap(asKey);
  if (keys.length === 0) throw new Refusal('upstream_invalid', { reason: 'no_usable_key' });
  return keys;
}

type Fetch = ReturnType<typeof guardedFetch>;

// RFC 8414 section 3.1 first, OpenID Connect Discovery second; the document must be about this very issuer.
async function keysAddress(fetch: Fetch, issuer: string): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [`${origin}/.well-known/oauth-authorization-server${path}`, `${origin}${path}/.well-known/openid-configuration`];
  for (const place of places) {
    const found = await json(fetch, place).catch((error: unknown) => notHere(error));
    if (found === undefined) continue;
    if (found['issuer'] !== issuer || typeof found['jwks_uri'] !== 'string') throw new Refusal('upstream_invalid', { reason: 'issuer_metadata' });
    return found['jwks_uri'];
  }
  throw new Refusal('upstream_invalid', { reason: 'no_issuer_metadata' });
}

function notHere(error: unknown): undefined {
  if (error instanceof Refusal && error.code === 'upstream_invalid') return undefined;
  throw error;
}

async function json(fetch: Fetch, url: string): Promise<Record<string, JsonValue>> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Refusal('upstream_invalid', { reason: 'status', status: response.status });
  const value: unknown = await response.json().catch(() => undefined);
  if (!isJsonObject(value)) throw new Refusal('upstream_invalid', { reason: 'not_json' });
  return value as Record<string, JsonValue>;
}

function asKey(jwk: JsonValue): Keys {
  if (!isJsonObject(jwk) || (jwk['use'] !== undefined && jwk['use'] !== 'sig')) return [];
  const parsed = directoryContracts.verificationJwk.safeParse(jwk);
  return parsed.success && typeof jwk['kid'] === 'string' ? [{ id: jwk['kid'].slice(0, 256), jwk: parsed.data }] : [];
}
