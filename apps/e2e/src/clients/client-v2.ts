import { Client, StreamableHTTPClientTransport, type VersionNegotiationOptions } from '@modelcontextprotocol/client';
import { bearer, CAPABILITIES, FORM, resultText, ROOT, SAMPLED, type Connection, type Heard, type OfficialClient } from './official-client.js';

/** Connects the client of `@modelcontextprotocol/client` 2.x: it asks for the stateless era first and falls back. */
export async function connectV2({ url, token, fetch, sessionId }: Connection): Promise<OfficialClient> {
  const heard: Heard[] = [];
  const versionNegotiation: VersionNegotiationOptions = { mode: sessionId === undefined ? 'auto' : 'legacy' };
  const client = new Client({ name: 'official-v2', version: '2.4.0' }, { capabilities: CAPABILITIES, versionNegotiation });
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: ROOT }] }));
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: FORM }));
  client.setRequestHandler('sampling/createMessage', async () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: SAMPLED } }));
  client.fallbackNotificationHandler = async ({ method, params }) => void heard.push({ method, params: params ?? {} });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: bearer(token),
    ...(fetch === undefined ? {} : { fetch }),
    ...(sessionId === undefined ? {} : { sessionId }),
  });
  await client.connect(transport);
  return {
    sdk: client,
    heard,
    get sessionId() {
      return transport.sessionId ?? '';
    },
    call: async (name, args = {}, options = {}) => resultText(await client.callTool({ name, arguments: args }, options)),
    endSession: () => transport.terminateSession(),
    close: () => client.close(),
  };
}
