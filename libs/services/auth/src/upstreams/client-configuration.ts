import type { upstreamContracts } from '@gatehouse/contracts';
import type { Outbound } from '@gatehouse/outbound';
import { allowInsecureRequests, Configuration, customFetch } from 'openid-client';
import { normalised, type Endpoint } from './answer-normaliser.js';
import { clientAuthentication } from './client-authentication.js';
import type { UpstreamClient } from './client-rows.js';
import type { FoundServer } from './found-server.js';
import { upstreamFetch } from './upstream-fetch.js';
import type { UpstreamSecrets } from './upstream-secrets.js';

/** What configurations are made with. */
export interface ConfigurationParts {
  outbound: Outbound;
  secrets: UpstreamSecrets;
}

/** One client at one authorization server. */
export interface ConfigurationWish {
  upstream: upstreamContracts.UpstreamServer;
  found: FoundServer;
  client: UpstreamClient;
  /** Longest wait for an answer (ms), where the settings allow more. */
  longestMs?: number;
}

/**
 * The library's view of one client at one authorization server, every request through the guard and
 * every answer through the normaliser. Made anew each time: secrets stay here for a minute only.
 */
export async function clientConfiguration({ outbound, secrets }: ConfigurationParts, wish: ConfigurationWish): Promise<Configuration> {
  const { upstream, found, client, longestMs } = wish;
  const { metadata } = found;
  const configuration = new Configuration(metadata, client.clientId, undefined, await clientAuthentication({ upstream, client, metadata }, secrets));
  const endpointOf = (url: string): Endpoint => (metadata.token_endpoint !== undefined && url === new URL(metadata.token_endpoint).href ? 'token' : 'other');
  configuration[customFetch] = normalised(upstreamFetch(outbound, upstream, longestMs), endpointOf, upstream.oauth);
  // The guard decides: without encryption only private networks are reached.
  if (Object.values(metadata).some((value) => typeof value === 'string' && value.startsWith('http:'))) allowInsecureRequests(configuration);
  return configuration;
}
