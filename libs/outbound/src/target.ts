import { isIP } from 'node:net';
import { Refusal } from '@gatehouse/kernel';
import { addressKind } from './address-kind.js';

/** Where requests go and what the guard allows on the way; made from a URL by `parseTarget`. */
export interface Target {
  /** The URL as normalised by the WHATWG parser, which turns 0x7f.1 and 2130706433 into 127.0.0.1. */
  readonly url: string;
  readonly origin: string;
  /** Path and query as sent on the request line. */
  readonly path: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  readonly allowPrivateNetwork: boolean;
  /** PEM certificates trusted for this target besides those that all are reached with. */
  readonly caCertificate: string | undefined;
}

/** What an administrator allowed or gave for one address. */
export interface DestinationOptions {
  allowPrivateNetwork: boolean;
  /** PEM certificates trusted for this address alone (a private authority, or a self-signed certificate itself). */
  caCertificate?: string | null | undefined;
}

/** Why an address may not be reached: the `reason` of a `url_refused`. */
export type UrlRefusalReason =
  | 'not_a_url'
  | 'too_long'
  | 'scheme'
  | 'userinfo'
  | 'fragment'
  | 'port'
  | 'http_needs_private_network'
  | 'private_address'
  | 'blocked_address'
  | 'metadata_address'
  | 'own_port';

const MAX_URL_LENGTH = 2_048;

/**
 * Checks everything about a URL that is known before its name is resolved. IP literals are judged
 * here too, since they never reach a lookup function (auth.md section 6). Refuses with `url_refused`.
 */
export function parseTarget(url: string, { allowPrivateNetwork, caCertificate }: DestinationOptions): Target {
  if (url.length > MAX_URL_LENGTH) throw urlRefused('too_long');
  if (!URL.canParse(url)) throw urlRefused('not_a_url');
  const parsed = new URL(url);
  const reason = shapeProblem(parsed, url, allowPrivateNetwork);
  if (reason !== undefined) throw urlRefused(reason);
  return {
    url: parsed.href,
    origin: parsed.origin,
    path: parsed.pathname + parsed.search,
    hostname: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? defaultPort(parsed) : Number(parsed.port),
    secure: parsed.protocol === 'https:',
    allowPrivateNetwork,
    caCertificate: caCertificate ?? undefined,
  };
}

/** The refusal of a URL; carries the reason only, never an address that a name resolved to. */
export function urlRefused(reason: UrlRefusalReason): Refusal {
  return new Refusal('url_refused', { reason });
}

/** Why this address of the target may not be connected to, or undefined when it may. */
export function addressProblem(target: Target, address: string, ownPorts: readonly number[]): UrlRefusalReason | undefined {
  const kind = addressKind(address);
  if (kind === 'metadata') return 'metadata_address';
  if (kind === 'blocked') return 'blocked_address';
  if (kind === 'public') return target.secure ? undefined : 'http_needs_private_network';
  if (!target.allowPrivateNetwork) return 'private_address';
  return ownPorts.includes(target.port) ? 'own_port' : undefined;
}

/** Judges the target's own host when it is an IP literal; names are judged by what they resolve to. */
export function refuseBadLiteral(target: Target, ownPorts: readonly number[]): void {
  if (isIP(target.hostname) === 0) return;
  const reason = addressProblem(target, target.hostname, ownPorts);
  if (reason !== undefined) throw urlRefused(reason);
}

function shapeProblem(parsed: URL, raw: string, allowPrivateNetwork: boolean): UrlRefusalReason | undefined {
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return 'scheme';
  if (parsed.protocol === 'http:' && !allowPrivateNetwork) return 'scheme';
  if (parsed.username !== '' || parsed.password !== '') return 'userinfo';
  // An empty fragment is dropped by the parser, so the text itself is asked.
  if (raw.includes('#')) return 'fragment';
  return parsed.port === '0' ? 'port' : undefined;
}

function defaultPort(parsed: URL): number {
  return parsed.protocol === 'https:' ? 443 : 80;
}
