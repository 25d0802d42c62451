/** What starts a navigation. */
export interface Navigation {
  method: 'GET' | 'POST';
  /** The page whose link or form it is; undefined for an address typed by hand. */
  initiator: { url: string; referrerPolicy: string } | undefined;
  /** Every URL so far, the one asked for last. */
  chain: readonly URL[];
}

/**
 * The headers by which a server can tell where a navigation comes from: Sec-Fetch-* (W3C Fetch
 * Metadata), Origin on POST and Referer. A page with `Referrer-Policy: no-referrer` sends
 * `Origin: null` even to itself (Fetch standard, "append a request Origin header").
 */
export function navigationHeaders(navigation: Navigation): Record<string, string> {
  const origin = originOf(navigation);
  const referer = refererOf(navigation);
  return {
    'sec-fetch-site': siteOf(navigation),
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-user': '?1',
    'upgrade-insecure-requests': '1',
    ...(origin === undefined ? {} : { origin }),
    ...(referer === undefined ? {} : { referer }),
  };
}

function siteOf({ initiator, chain }: Navigation): string {
  if (initiator === undefined) return 'none';
  const from = new URL(initiator.url);
  if (chain.every((url) => url.origin === from.origin)) return 'same-origin';
  return chain.every((url) => schemefulSite(url) === schemefulSite(from)) ? 'same-site' : 'cross-site';
}

/** Scheme and registrable domain, with every public suffix taken as one label long. */
function schemefulSite(url: URL): string {
  const isAddress = /^[\d.]+$/.test(url.hostname) || url.hostname.startsWith('[');
  return `${url.protocol}//${isAddress ? url.hostname : url.hostname.split('.').slice(-2).join('.')}`;
}

function originOf({ method, initiator, chain }: Navigation): string | undefined {
  const target = chain.at(-1);
  if (method !== 'POST' || initiator === undefined || target === undefined) return undefined;
  const from = new URL(initiator.url);
  // A POST that another origin passes on (307, 308) no longer has one origin.
  const isTainted = chain.slice(0, -1).some((url) => url.origin !== from.origin && url.origin !== target.origin);
  return isTainted || hidesOrigin(initiator.referrerPolicy, from, target) ? 'null' : from.origin;
}

function hidesOrigin(policy: string, from: URL, target: URL): boolean {
  if (policy === 'no-referrer') return true;
  if (policy === 'same-origin') return from.origin !== target.origin;
  return isDowngrade(from, target) && policy !== 'origin' && policy !== 'unsafe-url' && policy !== 'origin-when-cross-origin';
}

function refererOf({ initiator, chain }: Navigation): string | undefined {
  const target = chain.at(-1);
  if (initiator === undefined || target === undefined) return undefined;
  const from = new URL(initiator.url);
  if (hidesOrigin(initiator.referrerPolicy, from, target)) return undefined;
  const isOriginOnly = initiator.referrerPolicy === 'origin' || initiator.referrerPolicy === 'strict-origin';
  return isOriginOnly || from.origin !== target.origin ? `${from.origin}/` : `${from.origin}${from.pathname}${from.search}`;
}

function isDowngrade(from: URL, target: URL): boolean {
  return from.protocol === 'https:' && target.protocol !== 'https:';
}
