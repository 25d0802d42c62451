import { isJsonObject, type JsonValue } from '@gatehouse/kernel';
import { decodeJwt, jwtVerify } from 'jose';
import { z } from 'zod';
import { digestOf } from './bearer.js';
import type { SignInProvider } from './federation.js';
import type { IdentityProviderSource } from './identity-provider-source.js';
import { SIGNATURES, type ProviderMetadataCache } from './provider-metadata.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** Whom a provider has signed out. */
export interface LogoutNotice {
  provider: SignInProvider;
  sid: string | undefined;
  subject: string | undefined;
  /** Tells one token from all others of every provider; a token counts once. */
  jtiHash: string;
}

/** What `LogoutTokens` works with. */
export interface LogoutTokenParts {
  providers: IdentityProviderSource;
  metadata: ProviderMetadataCache;
  now: () => number;
}

/** How old a logout token may be (ms), clocks that differ included. */
export const LOGOUT_TOKEN_MS = 360_000;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const SKEW_S = 60;
const id = z.string().min(1).max(255);
const claims = z.object({ jti: id, sid: id.optional(), sub: id.optional(), nonce: z.never().optional() });

/** Verifies logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6). */
export class LogoutTokens {
  constructor(private readonly parts: LogoutTokenParts) {}

  /** Whom a token signs out. Refuses as `bad_answer`, or as `unknown_provider` when its issuer is none of ours. */
  async verify(token: string): Promise<LogoutNotice> {
    const provider = await this.providerOf(token);
    const { keys } = await this.parts.metadata.of(provider.settings);
    const { payload } = await refusing(() =>
      jwtVerify(token, keys, {
        algorithms: SIGNATURES,
        typ: 'logout+jwt',
        issuer: provider.settings.issuer,
        audience: provider.settings.clientId,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: LOGOUT_TOKEN_MS / 1_000 - SKEW_S,
        clockTolerance: SKEW_S,
        currentDate: new Date(this.parts.now()),
      }),
    );
    const { jti, sid, sub } = await refusing(async () => claims.parse(payload));
    if (!isLogout(payload['events'] as JsonValue) || (sid === undefined && sub === undefined)) throw new SignInRefusal('bad_answer');
    return { provider, sid, subject: sub, jtiHash: digestOf(JSON.stringify([provider.settings.issuer, jti])) };
  }

  // What the token says of its issuer is only a hint where to look; the signature decides.
  private async providerOf(token: string): Promise<SignInProvider> {
    const { iss } = await refusing(async () => decodeJwt(token));
    const provider = (await this.parts.providers.all()).find(({ settings }) => settings.issuer === iss);
    if (provider === undefined) throw new SignInRefusal('unknown_provider');
    return provider;
  }
}

function isLogout(events: JsonValue): boolean {
  return isJsonObject(events) && isJsonObject(events[EVENT]);
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new SignInRefusal('bad_answer', { cause });
  }
}
