/**
 * Whether a page's Content-Security-Policy lets its forms lead to this URL (CSP level 3, `form-action`).
 * Chrome asks for every redirect after the submission too: a consent page with `form-action 'self'`
 * never gets its answer to the client.
 */
export function allowsFormAction(policies: string | string[] | undefined, page: URL, target: URL): boolean {
  const headers = [policies ?? []].flat().flatMap((header) => header.split(','));
  return headers.every((policy) => {
    const sources = sourcesOf(policy);
    return sources === undefined || sources.some((source) => matches(source, page, target));
  });
}

function sourcesOf(policy: string): string[] | undefined {
  const directives = policy.split(';').map((directive) => directive.trim().split(/\s+/));
  return directives.find(([name]) => name?.toLowerCase() === 'form-action')?.slice(1);
}

function matches(source: string, page: URL, target: URL): boolean {
  if (source === "'self'") return target.origin === page.origin;
  if (source === '*') return ['http:', 'https:', page.protocol].includes(target.protocol);
  if (/^[a-z][a-z0-9+.-]*:$/i.test(source)) return target.protocol === source.toLowerCase();
  return matchesHost(source, page, target);
}

function matchesHost(source: string, page: URL, target: URL): boolean {
  const [, scheme = page.protocol, host = '', port = ''] = /^(?:([a-z][a-z0-9+.-]*:)\/\/)?([^/:]+)(?::(\d+|\*))?/i.exec(source) ?? [];
  return target.protocol === scheme && isHost(host, target.hostname) && (port === '*' || port === target.port);
}

function isHost(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern.toLowerCase() === host;
}
