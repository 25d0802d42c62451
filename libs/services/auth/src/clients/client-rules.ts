import type { clientContracts } from '@gatehouse/contracts';

type ClientRule = clientContracts.ClientRule;

/** What rules look at. */
export interface ClientFacts {
  kind: 'dynamic' | 'metadata-document';
  id: string;
  name: string;
  redirectUris: readonly string[];
}

/** What the rules say of a client. */
export type RuleDecision = Pick<ClientRule, 'effect' | 'requireDpop'>;

const NO_RULE: RuleDecision = { effect: 'allow', requireDpop: false };

/** The first rule that matches decides; a client that none matches is let in. */
export function decisionOf(rules: readonly ClientRule[], client: ClientFacts): RuleDecision {
  return rules.find((rule) => matches(rule, client)) ?? NO_RULE;
}

function matches({ kind, host, name, effect }: ClientRule, client: ClientFacts): boolean {
  if (kind !== 'any' && kind !== client.kind) return false;
  if (name !== null && !folded(client.name).includes(folded(name))) return false;
  if (host === '*') return true;
  const hosts = hostsOf(client);
  const fits = (each: string): boolean => isHost(each, host);
  // Letting in takes all of them; keeping out takes one, else a second address would be the way around the rule.
  return effect === 'allow' ? hosts.length > 0 && hosts.every(fits) : hosts.some(fits);
}

function hostsOf({ kind, id, redirectUris }: ClientFacts): string[] {
  return kind === 'metadata-document' ? [hostOf(id)] : redirectUris.map(hostOf);
}

// `app://claude.ai` is answered by whatever program registered the scheme: it has no host that a rule could name.
function hostOf(uri: string): string {
  if (!URL.canParse(uri)) return '';
  const { protocol, hostname } = new URL(uri);
  return protocol === 'https:' || protocol === 'http:' ? hostname : '';
}

function isHost(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
