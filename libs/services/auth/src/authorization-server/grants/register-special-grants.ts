import type { Provider } from 'oidc-provider';
import { exchangeIdentityAssertion, JWT_BEARER, type AssertionParts } from './identity-assertion.js';
import { exchangeToken, TOKEN_EXCHANGE, type ExchangeParts } from './token-exchange.js';

/** Adds the grants that only clients which an administrator registered for them may use. */
export function registerSpecialGrants(provider: Provider, parts: AssertionParts & ExchangeParts): void {
  provider.registerGrantType(JWT_BEARER, (ctx) => exchangeIdentityAssertion(ctx, parts), ['assertion', 'scope', 'resource']);
  const exchange = ['subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'resource', 'audience', 'actor_token', 'actor_token_type'];
  provider.registerGrantType(TOKEN_EXCHANGE, (ctx) => exchangeToken(ctx, parts), exchange);
}
