import { Secret } from '@gatehouse/kernel';

/** Servers without what signs in, and what signs in. */
export interface SplitUrls {
  servers: string[];
  user?: string;
  password?: Secret;
}

/**
 * Takes user and password out of `nats://user:password@host:port` (percent-encoded where they need it);
 * of several servers, separated by commas, the first that has one counts for all. The client library
 * takes a user in a URL for a part of the host.
 */
export function splitUrls(url: string): SplitUrls {
  const parsed = url.split(',').map((server) => new URL(server.trim()));
  const signIn = parsed.find(({ username }) => username !== '');
  const servers = parsed.map(({ protocol, host }) => `${protocol}//${host}`);
  if (signIn === undefined) return { servers };
  return { servers, user: decodeURIComponent(signIn.username), password: Secret.fromText(decodeURIComponent(signIn.password)) };
}
