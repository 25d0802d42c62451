import ipaddr from 'ipaddr.js';

/**
 * What an address is to the guard. `public` is reachable by anyone; `private` and `loopback` only
 * where an administrator allowed it; `metadata` and `blocked` never.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'metadata' | 'blocked';

/** Where clouds hand out instance credentials: AWS, Azure's wire server, Alibaba, Oracle, and their IPv6 forms. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  ['169.254.169.254', '168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'].map(canonical),
);

const V4_KINDS: Readonly<Record<string, AddressKind>> = {
  unicast: 'public',
  loopback: 'loopback',
  private: 'private',
  carrierGradeNat: 'private',
};

/** The only IPv6 block handed out as global unicast (RFC 4291): ::/96, fec0::/10, 64:ff9b::/96 and their like lie outside. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Judges one IP address. IPv4-mapped IPv6 is judged as the IPv4 address it reaches; every other
 * way to write an IPv4 address inside IPv6 (NAT64, 6to4, Teredo, ::/96) is blocked, because where
 * it leads depends on the network in between. Anything that is not an IP address is blocked.
 */
export function addressKind(text: string): AddressKind {
  if (!ipaddr.isValid(text) || text.includes('%')) return 'blocked';
  const address = ipaddr.process(text);
  if (METADATA_ADDRESSES.has(address.toNormalizedString())) return 'metadata';
  if (address instanceof ipaddr.IPv4) return V4_KINDS[address.range()] ?? 'blocked';
  return v6Kind(address as ipaddr.IPv6);
}

function v6Kind(address: ipaddr.IPv6): AddressKind {
  const range = address.range();
  if (range === 'loopback') return 'loopback';
  if (range === 'uniqueLocal') return 'private';
  return range === 'unicast' && address.match(GLOBAL_V6) ? 'public' : 'blocked';
}

function canonical(address: string): string {
  return ipaddr.parse(address).toNormalizedString();
}
