import { BlockList, isIP } from 'node:net';
import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { urlProblem } from './server-url.js';

const PRIVATE = new BlockList();
for (const [network, prefix] of [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.168.0.0', 16]] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');

const MEMBERS = ['issuer', 'authorizeUrl', 'tokenUrl'] as const;

/**
 * The addresses of an authorization server that an administrator gives: by the rules of a server's own URL, and no
 * number or name of this machine or a private network without the allowance. Where their names lead is judged where
 * they are called. Refuses with `url_refused`, details `reason` and the `member`.
 */
export function requireOauthUrls(oauth: upstreamContracts.UpstreamOauth, allowPrivateNetwork: boolean): void {
  for (const member of MEMBERS) {
    const text = oauth[member];
    const reason = text === undefined ? undefined : oauthUrlProblem(text, allowPrivateNetwork);
    if (reason !== undefined) throw new Refusal('url_refused', { reason, member });
  }
}

/** What is wrong with such an address, as the `reason` of a `url_refused`. */
export function oauthUrlProblem(text: string, allowPrivateNetwork: boolean): string | undefined {
  const problem = urlProblem(text, allowPrivateNetwork);
  if (problem !== undefined || allowPrivateNetwork) return problem;
  return isPrivate(new URL(text).hostname) ? 'private_address' : undefined;
}

function isPrivate(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(host) === 6) return !PUBLIC_V6.check(host, 'ipv6');
  return isIP(host) === 4 ? PRIVATE.check(host, 'ipv4') : host === 'localhost' || host.endsWith('.localhost');
}
