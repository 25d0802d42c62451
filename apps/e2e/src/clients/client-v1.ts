import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { bearer, CAPABILITIES, FORM, resultText, ROOT, SAMPLED, type Connection, type Heard, type OfficialClient } from './official-client.js';

/** Connects the client of `@modelcontextprotocol/sdk` 1.x. */
export async function connectV1({ url, token, fetch, sessionId }: Connection): Promise<OfficialClient> {
  const heard: Heard[] = [];
  const client = new Client({ name: 'official-v1', version: '1.32.2' }, { capabilities: CAPABILITIES });
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: ROOT }] }));
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: FORM }));
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: SAMPLED } }));
  client.fallbackNotificationHandler = async ({ method, params }) => void heard.push({ method, params: params ?? {} });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: bearer(token),
    ...(fetch === undefined ? {} : { fetch }),
    ...(sessionId === undefined ? {} : { sessionId }),
  });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return {
    sdk: client,
    heard,
    get sessionId() {
      return transport.sessionId ?? '';
    },
    call: async (name, args = {}, options = {}) => resultText(await client.callTool({ name, arguments: args }, CallToolResultSchema, options)),
    endSession: () => transport.terminateSession(),
    close: () => client.close(),
  };
}
