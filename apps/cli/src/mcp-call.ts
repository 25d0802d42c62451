import { Client, StreamableHTTPClientTransport, type CallToolResult, type Progress } from '@modelcontextprotocol/client';
import type { JsonObject } from '@gatehouse/kernel';
import { callFailure } from './call-failure.js';

export { resultFailure } from './call-failure.js';

const VERSION = '0.1.0';
const CLOSE_LIMIT_MS = 2_000;

/** One call of one tool. */
export interface ToolCall {
  endpoint: URL;
  token: string;
  tool: string;
  arguments: JsonObject;
  /** Milliseconds without an answer or progress. */
  timeoutMs: number;
  signal: AbortSignal;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Is an MCP client for one call: initialize, tools/call, end of session. */
export async function callTool(call: ToolCall): Promise<CallToolResult> {
  // A redirect would carry the token elsewhere.
  const transport = new StreamableHTTPClientTransport(call.endpoint, {
    requestInit: { headers: { authorization: `Bearer ${call.token}` }, redirect: 'error' },
  });
  const client = new Client({ name: 'gatehouse-cli', version: VERSION });
  const options = {
    timeout: call.timeoutMs,
    resetTimeoutOnProgress: true,
    signal: call.signal,
    ...(call.onProgress === undefined ? {} : { onprogress: call.onProgress }),
  };
  try {
    await client.connect(transport, { timeout: call.timeoutMs, signal: call.signal });
    return await client.callTool({ name: call.tool, arguments: call.arguments }, options);
  } catch (error) {
    throw callFailure(error, call);
  } finally {
    await hangUp(client, transport);
  }
}

async function hangUp(client: Client, transport: StreamableHTTPClientTransport): Promise<void> {
  const limit = AbortSignal.timeout(CLOSE_LIMIT_MS);
  const late = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }));
  // The answer is here already; a session that cannot be ended expires by itself.
  await Promise.race([transport.terminateSession().catch(() => undefined), late]);
  await client.close();
}
