import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  McpError,
  type Prompt,
  type PromptMessage,
} from '@modelcontextprotocol/sdk/types.js';
import { PNG_BASE64 } from './content-tools.js';

type Arguments = Readonly<Record<string, string>>;

interface ScriptedPrompt {
  definition: Prompt;
  contents(args: Arguments): PromptMessage['content'][];
}

const PROMPTS: readonly ScriptedPrompt[] = [
  {
    definition: { name: 'test_simple_prompt', description: 'One text' },
    contents: () => [text('This is a simple prompt for testing.')],
  },
  {
    definition: { name: 'test_prompt_with_arguments', description: 'Two arguments', arguments: [required('arg1'), required('arg2')] },
    contents: (args) => [text(`Prompt with arguments: arg1='${args['arg1']}', arg2='${args['arg2']}'`)],
  },
  {
    definition: { name: 'test_prompt_with_embedded_resource', description: 'A resource inside', arguments: [required('resourceUri')] },
    contents: (args) => [
      { type: 'resource', resource: { uri: args['resourceUri'] ?? '', mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
      text('Please process the embedded resource above.'),
    ],
  },
  {
    definition: { name: 'test_prompt_with_image', description: 'An image inside' },
    contents: () => [{ type: 'image', data: PNG_BASE64, mimeType: 'image/png' }, text('Please analyze the image above.')],
  },
];

const COMPLETIONS = ['paris', 'park', 'party', 'test'];

/** Gives the server the suite's prompts and the completion of their arguments. */
export function servePrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, async () => ({ prompts: PROMPTS.map(({ definition }) => definition) }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }) => {
    const prompt = PROMPTS.find(({ definition }) => definition.name === params.name);
    if (prompt === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown prompt ${params.name}`);
    return { messages: prompt.contents(params.arguments ?? {}).map((content) => ({ role: 'user' as const, content })) };
  });
  server.setRequestHandler(CompleteRequestSchema, async ({ params }) => {
    const values = COMPLETIONS.filter((value) => value.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}

function text(content: string) {
  return { type: 'text' as const, text: content };
}

function required(name: string) {
  return { name, description: `Argument ${name}`, required: true };
}
