import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  SetLevelRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { CONTENT_TOOLS } from './content-tools.js';
import { CONVERSATION_TOOLS } from './conversation-tools.js';
import { ELICITATION_TOOLS } from './elicitation-tools.js';
import { servePrompts } from './prompts.js';
import { serveResources } from './resources.js';
import { textResult, type ScriptedTool, type ToolCall } from './scripted-tool.js';
import type { Stage } from './stage.js';
import { LATE_TOOL, STORY_TOOLS } from './story-tools.js';

const TOOLS = [...CONTENT_TOOLS, ...CONVERSATION_TOOLS, ...ELICITATION_TOOLS, ...STORY_TOOLS];

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  logging: {},
  completions: {},
};

/** The MCP server of one session with everything that the conformance suite and the stories ask for. */
export function sessionServer(stage: Stage): Server {
  const server = new Server({ name: 'conformance-upstream', version: '1.0.0' }, { capabilities: CAPABILITIES });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: listed(stage).map(({ definition }) => ({ ...definition, ...stage.toolChanges.get(definition.name) })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = listed(stage).find(({ definition }) => definition.name === params.name);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown tool ${params.name}`);
    return run(tool, { args: params.arguments ?? {}, extra, server, stage });
  });
  // The suite sends it and wants every level afterwards, which is what is sent anyway.
  server.setRequestHandler(SetLevelRequestSchema, async () => ({}));
  serveResources(server, stage);
  servePrompts(server);
  return server;
}

function listed(stage: Stage): readonly ScriptedTool[] {
  return stage.lateToolListed ? [...TOOLS, LATE_TOOL] : TOOLS;
}

/** A tool that throws answers with `isError`, so that the model sees why (MCP tools, error handling). */
function run(tool: ScriptedTool, call: ToolCall): Promise<CallToolResult> {
  return tool.run(call).catch((error: Error) => ({ ...textResult(error.message), isError: true }));
}
