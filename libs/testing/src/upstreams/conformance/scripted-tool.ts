import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest, Tool } from '@modelcontextprotocol/sdk/types.js';
import type { Stage } from './stage.js';

/** What a tool may use while it runs. */
export interface ToolCall {
  args: Record<string, unknown>;
  extra: RequestHandlerExtra<ServerRequest, ServerNotification>;
  /** The session's server: what it sends without a request goes to the GET stream. */
  server: Server;
  stage: Stage;
}

/** A tool as it is listed and what it does. */
export interface ScriptedTool {
  definition: Tool;
  run(call: ToolCall): Promise<CallToolResult>;
}

/** A tool without arguments. */
export function plainTool(name: string, description: string, run: ScriptedTool['run']): ScriptedTool {
  return { definition: { name, description, inputSchema: { type: 'object' } }, run };
}

/** A tool whose arguments are strings, all required. */
export function textTool(name: string, description: string, args: readonly string[], run: ScriptedTool['run']): ScriptedTool {
  const properties = Object.fromEntries(args.map((arg) => [arg, { type: 'string' as const }]));
  return { definition: { name, description, inputSchema: { type: 'object', properties, required: [...args] } }, run };
}

/** A result of one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
