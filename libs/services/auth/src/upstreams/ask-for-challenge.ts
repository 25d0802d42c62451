import type { upstreamContracts } from '@gatehouse/contracts';
import type { Outbound } from '@gatehouse/outbound';
import { refusalWithin } from './trouble-words.js';
import { upstreamFetch } from './upstream-fetch.js';

const LONGEST_MS = 5_000;
const PARAMS = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'gatehouse', version: '1' } };

/**
 * What a server says to who comes without a token: its `WWW-Authenticate`, or null when it lets
 * everybody in, says nothing, or is not there, which the search for its metadata tells better.
 */
export async function askForChallenge(outbound: Outbound, upstream: upstreamContracts.UpstreamServer): Promise<string | null> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: PARAMS });
  try {
    const response = await upstreamFetch(outbound, upstream, LONGEST_MS)(upstream.url, { method: 'POST', headers, body });
    return response.status === 401 ? response.headers.get('www-authenticate') : null;
  } catch (error) {
    if (refusalWithin(error) === undefined) throw error;
    return null;
  }
}
