import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMessageResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { plainTool, textResult, textTool, type ScriptedTool, type ToolCall } from './scripted-tool.js';

const STEP_MS = 50;

/** Tools of the conformance suite that talk to the client while they run. */
export const CONVERSATION_TOOLS: readonly ScriptedTool[] = [
  plainTool('test_tool_with_logging', 'Logs three times while it runs', async ({ extra }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
      await sleep(STEP_MS);
    }
    return textResult('Logged three times.');
  }),
  plainTool('test_tool_with_progress', 'Reports progress while it runs', async ({ extra }) => {
    const progressToken = extra._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken: progressToken ?? 0, progress, total: 100 };
      if (progressToken !== undefined) await extra.sendNotification({ method: 'notifications/progress', params });
      await sleep(STEP_MS);
    }
    return textResult(`Reported progress for ${String(progressToken)}.`);
  }),
  plainTool('test_reconnection', 'Drops its stream before it answers (SEP-1699)', dropStreamThenAnswer),
  textTool('test_sampling', 'Asks the client for a completion', ['prompt'], askForCompletion),
];

async function dropStreamThenAnswer({ extra }: ToolCall): Promise<CallToolResult> {
  extra.closeSSEStream?.();
  await sleep(2 * STEP_MS);
  return textResult('Answered after the stream was dropped.');
}

async function askForCompletion({ args, extra }: ToolCall): Promise<CallToolResult> {
  const content = { type: 'text' as const, text: String(args['prompt']) };
  const params = { messages: [{ role: 'user' as const, content }], maxTokens: 100 };
  const answer = await extra.sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema);
  return textResult(`LLM response: ${answer.content.type === 'text' ? answer.content.text : answer.content.type}`);
}
