import type { JsonObject } from '@gatehouse/kernel';
import type { Resolved } from '../pipeline/resolve.js';
import { isPending } from '../sessions/session.js';

/** Name of the one tool that a client sees while its person has no account at a server. */
export function connectToolName(server: string): string {
  return `connect_${server.replaceAll('-', '_')}`;
}

/** Its definition, as a list of tools carries it. */
export function connectTool(server: string): JsonObject {
  return {
    name: connectToolName(server),
    title: `Connect ${server}`,
    description: `Gives the link under which your person connects their account at ${server}. Its own tools are there once that is done.`,
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}

/** Whether a call is of that tool: only in sessions that began without an account, where a tool of the server's by this name is out of reach. */
export function callsConnectTool({ intent, session, server }: Resolved): boolean {
  if (session === undefined || !isPending(session) || intent.kind !== 'message') return false;
  return intent.admitted.row.method === 'tools/call' && intent.admitted.target === connectToolName(server.entry.name);
}
