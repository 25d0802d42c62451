import { ElicitResultSchema, type CallToolResult, type ElicitRequestFormParams } from '@modelcontextprotocol/sdk/types.js';
import { plainTool, textResult, textTool, type ScriptedTool, type ToolCall } from './scripted-tool.js';

type Form = ElicitRequestFormParams['requestedSchema'];

const WHO: Form = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

/** Every primitive with a default (SEP-1034). */
const DEFAULTS: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const TITLED = [
  { const: 'value1', title: 'First' },
  { const: 'value2', title: 'Second' },
  { const: 'value3', title: 'Third' },
];

/** The five ways to write a choice (SEP-1330). */
const CHOICES: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: OPTIONS },
    titledSingle: { type: 'string', oneOf: TITLED },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
    titledMulti: { type: 'array', items: { anyOf: TITLED } },
  },
};

/** Tools of the conformance suite that put a form before the user. */
export const ELICITATION_TOOLS: readonly ScriptedTool[] = [
  textTool('test_elicitation', 'Asks the user who they are', ['message'], async (call) =>
    textResult(`User response: ${await ask(call, String(call.args['message']), WHO)}`),
  ),
  plainTool('test_elicitation_sep1034_defaults', 'Asks with defaults', (call) => completed(call, DEFAULTS)),
  plainTool('test_elicitation_sep1330_enums', 'Asks for choices', (call) => completed(call, CHOICES)),
];

async function completed(call: ToolCall, form: Form): Promise<CallToolResult> {
  return textResult(`Elicitation completed: ${await ask(call, 'Please fill in the form', form)}`);
}

async function ask({ extra }: ToolCall, message: string, requestedSchema: Form): Promise<string> {
  const params = { mode: 'form' as const, message, requestedSchema };
  const answer = await extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
  return `action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`;
}
