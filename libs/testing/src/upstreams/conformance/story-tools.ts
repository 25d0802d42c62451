import { setTimeout as sleep } from 'node:timers/promises';
import { ListRootsResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { plainTool, textResult, textTool, type ScriptedTool, type ToolCall } from './scripted-tool.js';

/** The tool that is listed only after `announce_changes` ran. */
export const LATE_TOOL = plainTool('late_tool', 'Was not there at first', async () => textResult('late'));

/** Tools that Gatehouse's own stories use. */
export const STORY_TOOLS: readonly ScriptedTool[] = [
  textTool('echo', 'Answers with the text it is given', ['text'], async ({ args }) => textResult(String(args['text']))),
  plainTool('whoami_headers', 'Answers with the names of the headers it received, never their values', async ({ extra }) =>
    textResult(Object.keys(extra.requestInfo?.headers ?? {}).sort().join(' ')),
  ),
  plainTool('list_roots', 'Asks the client for its roots', async ({ extra }) => {
    const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
    return textResult(roots.map((root) => root.uri).join(' '));
  }),
  {
    definition: {
      name: 'slow',
      description: 'Waits, and stops waiting when it is cancelled',
      inputSchema: { type: 'object', properties: { ms: { type: 'integer', minimum: 0, maximum: 60_000 } }, required: ['ms'] },
    },
    run: waitUnlessCancelled,
  },
  plainTool('announce_changes', 'Says on the GET stream that the lists and a resource changed', announceChanges),
];

async function waitUnlessCancelled({ args, extra, stage }: ToolCall): Promise<CallToolResult> {
  const finished = await sleep(Number(args['ms']), true, { signal: extra.signal }).catch(() => false);
  if (!finished) stage.cancelled += 1;
  return textResult(finished ? 'waited' : 'cancelled');
}

async function announceChanges({ server, stage }: ToolCall): Promise<CallToolResult> {
  stage.lateToolListed = true;
  await server.sendToolListChanged();
  await server.sendResourceListChanged();
  await server.sendPromptListChanged();
  await server.sendResourceUpdated({ uri: 'test://watched-resource' });
  return textResult('announced');
}
