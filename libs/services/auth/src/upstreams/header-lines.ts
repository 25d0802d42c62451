import type { Bus } from '@gatehouse/bus';
import { vaultContracts, type upstreamContracts } from '@gatehouse/contracts';
import { sealTo } from '@gatehouse/kernel';
import type { SealedLine } from './connected-accounts.js';

type Upstream = Pick<upstreamContracts.UpstreamServer, 'secretHeaders' | 'preset'>;

/** A header that a person types in, and what stands before it. */
export interface WantedHeader {
  name: string;
  prefix: string;
}

const MAX_VALUE = 8_192;
/** A text shorter than this would be given away by its end. */
const SHOWN_FROM = 12;

/** The headers that an account at a server is made of: those set, else the one of its preset, else a bearer token. */
export function wantedHeaders({ secretHeaders, preset }: Upstream): WantedHeader[] {
  const known = preset?.header ?? null;
  const names = secretHeaders.length > 0 ? secretHeaders : [known?.name ?? 'Authorization'];
  return names.map((name) => ({ name, prefix: prefixOf(name, known) }));
}

function prefixOf(name: string, known: { name: string; prefix: string } | null): string {
  if (known !== null && known.name.toLowerCase() === name.toLowerCase()) return known.prefix;
  return name.toLowerCase() === 'authorization' ? 'Bearer ' : '';
}

/**
 * The value as it is sent: with its prefix, unless it was typed in or another scheme was (`Basic …`).
 * Undefined for what no header can carry (RFC 9110 section 5.5).
 */
export function headerValue(typed: string, { prefix }: WantedHeader): string | undefined {
  const value = typed.trim();
  if (value === '' || value.length > MAX_VALUE || !/^[\x20-\x7e]+$/.test(value)) return undefined;
  const hasOwn = value.toLowerCase().startsWith(prefix.toLowerCase()) || /^[A-Za-z][A-Za-z0-9-]* \S/.test(value);
  return prefix === '' || hasOwn ? value : `${prefix}${value}`;
}

/** Seals header lines for an identity, as edges do with those that administrators give. */
export async function sealLines(bus: Bus, identityId: string, lines: readonly { name: string; value: string }[]): Promise<SealedLine[]> {
  const { publicKey } = await bus.request(vaultContracts.getEntryKey, {});
  return lines.map(({ name, value }) => {
    const sealed = sealTo(publicKey, Buffer.from(value, 'utf8'), vaultContracts.entryContext(identityId, name));
    return { name, sealed, lastFour: value.length < SHOWN_FROM ? null : value.slice(-4) };
  });
}
