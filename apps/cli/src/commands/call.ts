import type { CallToolResult, Progress } from '@modelcontextprotocol/client';
import type { Command } from 'commander';
import { contentText } from '../content-text.js';
import { CliFailure, EXIT } from '../failure.js';
import { jsonArgument } from '../json-argument.js';
import { endpointToken, endpointUrl } from '../login/endpoint-token.js';
import type { ToolCall } from '../mcp-call.js';
import { plainLine } from '../output/plain-text.js';
import type { Format } from '../output/print.js';
import { renewedToken } from '../sign-in.js';
import type { Surroundings } from '../surroundings.js';
import { invocation, verb, wholeNumber, type Context } from '../verb.js';

const DEFAULT_TIMEOUT_S = 60;
const MOST_TIMEOUT_S = 3_600;
const MS = 1_000;

interface CallOptions {
  timeout?: number;
  output?: Format;
}

/** `gatehouse call`. */
export function addCall(program: Command, context: Context): void {
  verb(program, 'call <endpoint> <tool> [arguments]', 'Call a tool through the gateway (arguments: JSON, @file or -)', `gatehouse call demo echo '{"text":"hello"}'`)
    .option('--timeout <seconds>', `without an answer or progress (default: ${DEFAULT_TIMEOUT_S})`, wholeNumber(1, MOST_TIMEOUT_S))
    .action((...given: [string, string, string | undefined, CallOptions]) => call(context, given));
}

async function call(context: Context, [endpoint, tool, args, options]: [string, string, string | undefined, CallOptions]): Promise<void> {
  const { surroundings } = context;
  // Loaded here because the MCP client costs more to start than every other verb takes.
  const { resultFailure } = await import('../mcp-call.js');
  const result = await authorized(surroundings, endpoint, {
    endpoint: endpointUrl(endpoint, surroundings),
    arguments: args === undefined ? {} : await jsonArgument(args, surroundings),
    tool,
    timeoutMs: (options.timeout ?? DEFAULT_TIMEOUT_S) * MS,
    signal: surroundings.interrupted,
    onProgress: surroundings.stderr.isTerminal ? (progress) => surroundings.stderr.write(progressLine(progress)) : undefined,
  });
  const text = contentText(result);
  const asked = invocation(context, options);
  const failure = resultFailure(result, text);
  // A table has nothing to show for a failure: its text is on stderr.
  if (failure === undefined || asked.format !== 'table') asked.answer(result, () => `${text}\n`);
  if (failure !== undefined) throw failure;
}

/** Calls with the endpoint's token; with another one, where the login has it, when that was refused before its time. */
async function authorized(surroundings: Surroundings, name: string, toolCall: Omit<ToolCall, 'token'>): Promise<CallToolResult> {
  const { callTool } = await import('../mcp-call.js');
  const token = await endpointToken(surroundings, name);
  try {
    return await callTool({ ...toolCall, token });
  } catch (error) {
    // Refused tokens are refused before anything is called, so calling again repeats nothing.
    const isRefused = error instanceof CliFailure && error.exit === EXIT.notSignedIn;
    const other = isRefused ? await renewedToken(surroundings, token, toolCall.endpoint.href) : undefined;
    if (other === undefined) throw error;
    return callTool({ ...toolCall, token: other });
  }
}

function progressLine({ progress, total, message }: Progress): string {
  const amount = total === undefined ? String(progress) : `${progress}/${total}`;
  return `… ${amount}${message === undefined ? '' : ` ${plainLine(message)}`}\n`;
}
