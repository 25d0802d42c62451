import type { upstreamContracts } from '@gatehouse/contracts';
import type { FoundServer } from './found-server.js';

type Oauth = upstreamContracts.UpstreamOauth;

/**
 * The scopes to ask for: what an administrator or a preset says, else what the server's challenge
 * demanded, else what its metadata names. Never all that the authorization server can give: it serves
 * others too, and people would be asked for more than the calls need.
 */
export function scopesToAsk({ scopes }: Oauth, found: Pick<FoundServer, 'challengeScopes' | 'scopes'>, more: readonly string[] = []): string[] {
  const base = scopes ?? (found.challengeScopes.length > 0 ? found.challengeScopes : found.scopes);
  return [...new Set([...base, ...more])];
}

/** The resource indicator (RFC 8707) that goes with every request for a token; undefined where none may go (Entra ID). */
export function resourceToAsk({ url, oauth }: Pick<upstreamContracts.UpstreamServer, 'url' | 'oauth'>, found: Pick<FoundServer, 'resource'>): string | undefined {
  const { resource = 'send' } = oauth;
  if (resource === 'omit') return undefined;
  return resource === 'send' ? (found.resource ?? url.split('#', 1)[0]!) : resource;
}

/** Whether a code can be bound to who asked for it: S256 is promised, or an administrator knows better (RFC 9700 section 2.1.1). */
export function hasPkce({ assumePkce }: Oauth, { how, metadata }: Pick<FoundServer, 'how' | 'metadata'>): boolean {
  return assumePkce === true || how !== 'read' || metadata.code_challenge_methods_supported?.includes('S256') === true;
}
