import { parseListen } from './text-schemas.js';

/** What a store's URL means when it names no port. */
const PORTS: Readonly<Record<string, number>> = { 'nats:': 4222, 'tls:': 4222, 'redis:': 6379, 'rediss:': 6379, 'postgres:': 5432, 'postgresql:': 5432 };

/**
 * Ports of Gatehouse itself, from the addresses it listens on (`host:port`) and the URLs of its stores
 * (several in one text are separated by commas): no address that anybody names may lead there.
 */
export function ownPorts(addresses: readonly string[], urls: readonly string[]): number[] {
  const listening = addresses.map((address) => parseListen(address)?.port ?? 0);
  const stores = urls.flatMap((text) => text.split(',')).map(portOf);
  return [...new Set([...listening, ...stores])].filter((port) => port > 0);
}

function portOf(text: string): number {
  const url = new URL(text);
  return url.port === '' ? (PORTS[url.protocol] ?? 0) : Number(url.port);
}
