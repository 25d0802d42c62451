import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { TokenMint } from './issued-tokens.js';
import type { People } from './people.js';
import type { SigningKeys } from './signing-keys.js';

/** How the provider answers those who want an identity assertion (ID-JAG) for somebody; changed while it runs. */
export interface ExchangeRules {
  /** The authorization servers that assertions are made for, with the client's id there. */
  audiences: Readonly<Record<string, string>>;
  /** `access-token`: gives a token for itself instead, as providers do that ignore what was asked for. */
  answer: 'id-jag' | 'access-token';
  /** The error (RFC 6749 section 5.2) that every request is refused with. */
  refused: string | null;
  /** Answers in this one's place, with whatever it says. */
  answeredBy: ((asked: Record<string, string>) => Promise<object>) | null;
}

/** What the exchange works with. */
export interface ExchangeParts {
  issuer: string;
  clientId: string;
  keys: SigningKeys;
  people: People;
  mint: TokenMint;
  rules: ExchangeRules;
  /** Parameters of every request, oldest first. */
  asked: Record<string, string>[];
}

/** The grant type of RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const PARAMETERS = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'];

class Refused extends Error {}

/** Lets the provider's client exchange an id_token or a refresh token for an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant section 4.3). */
export function registerAssertionExchange(provider: Provider, parts: ExchangeParts): void {
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (context) => {
      context.set('cache-control', 'no-store');
      try {
        context.body = await answered(provider, context, parts);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        context.status = 400;
        context.body = { error: error.message };
      }
    },
    PARAMETERS,
  );
}

async function answered(provider: Provider, { oidc }: KoaContextWithOIDC, parts: ExchangeParts): Promise<object> {
  const { rules, mint, people } = parts;
  const asked = Object.fromEntries(Object.entries(oidc.params ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  parts.asked.push(asked);
  const { audience = '', resource, scope } = asked;
  if (rules.answeredBy !== null) return rules.answeredBy(asked);
  if (rules.refused !== null) throw new Refused(rules.refused);
  if (asked['requested_token_type'] !== `${TYPE}id-jag`) throw new Refused('invalid_request');
  const clientId = rules.audiences[audience];
  if (clientId === undefined) throw new Refused('invalid_target');
  const sub = await subjectOf(provider, asked, parts);
  if (people.active(sub) === undefined) throw new Refused('invalid_grant');
  if (rules.answer === 'access-token') return { access_token: await mint.accessToken({ sub, aud: parts.issuer }), issued_token_type: `${TYPE}access_token`, token_type: 'Bearer', expires_in: 300 };
  const assertion = await mint.idJag({ sub, aud: audience, client_id: clientId, resource, scope });
  return { access_token: assertion, issued_token_type: `${TYPE}id-jag`, token_type: 'N_A', expires_in: 300 };
}

async function subjectOf(provider: Provider, asked: Record<string, string>, parts: ExchangeParts): Promise<string> {
  const { subject_token: token = '', subject_token_type: type } = asked;
  const found = type === `${TYPE}refresh_token` ? (await provider.RefreshToken.find(token))?.accountId : type === `${TYPE}id_token` ? await subjectOfIdToken(token, parts) : undefined;
  if (found === undefined) throw new Refused('invalid_grant');
  return found;
}

async function subjectOfIdToken(token: string, { keys, issuer, clientId }: ExchangeParts): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.published() as JSONWebKeySet), { issuer, audience: clientId, requiredClaims: ['exp', 'sub'] });
    return payload.sub;
  } catch {
    // Whatever is wrong with it: it proves nobody.
    return undefined;
  }
}
