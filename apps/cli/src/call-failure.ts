import { errorRow, ERRORS, isErrorCode, isJsonObject, type ErrorCode } from '@gatehouse/kernel';
import { REFUSAL_META_KEY } from '@gatehouse/mcp';
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError, type CallToolResult } from '@modelcontextprotocol/client';
import { CliFailure, EXIT } from './failure.js';
import { unreachable } from './gateway-url.js';
import { nextStep } from './next-steps.js';

const UNAUTHORIZED = 401;

/** What the failure is about. */
interface Called {
  endpoint: URL;
  signal: AbortSignal;
}

/** Why a call gave no result, and what to do, from whatever the client library threw. */
export function callFailure(error: unknown, { endpoint, signal }: Called): CliFailure {
  if (signal.aborted) return new CliFailure({ message: 'interrupted' });
  if (error instanceof SdkHttpError) return httpFailure(error.status, error.data['text']);
  if (error instanceof ProtocolError) return rpcFailure({ code: error.code, message: error.message, data: error.data });
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new CliFailure({ message: 'no answer in time', next: 'give it more with --timeout, or look with gatehouse audit query --limit 1' });
  }
  if (error instanceof SdkError) return new CliFailure({ message: error.message }, { cause: error });
  return unreachable(endpoint.origin, error);
}

/** The failure behind a result marked as an error, or undefined when the result is good. */
export function resultFailure(result: CallToolResult, asText: string): CliFailure | undefined {
  if (result.isError !== true) return undefined;
  const refusal: unknown = result._meta?.[REFUSAL_META_KEY];
  const code = isJsonObject(refusal) && isErrorCode(refusal['code']) ? refusal['code'] : undefined;
  const server = isJsonObject(refusal) && typeof refusal['server'] === 'string' ? refusal['server'] : 'NAME';
  return new CliFailure({
    message: code === undefined ? `the tool says it failed: ${asText}` : `refused: ${asText}`,
    code,
    next: nextStep(code)?.replaceAll('NAME', server),
  });
}

function httpFailure(status: number, body: unknown): CliFailure {
  const parsed = typeof body === 'string' ? parseJson(body) : undefined;
  const error = isJsonObject(parsed) ? parsed['error'] : undefined;
  const exit = status === UNAUTHORIZED ? EXIT.notSignedIn : EXIT.failed;
  if (isJsonObject(error) && typeof error['code'] === 'number') {
    return rpcFailure({ code: error['code'], message: String(error['message'] ?? ''), data: error['data'] }, exit);
  }
  const code = status === UNAUTHORIZED ? 'unauthenticated' : undefined;
  return new CliFailure({ message: code === undefined ? `HTTP ${status}` : errorRow(code).sentence, code, next: nextStep(code), exit });
}

interface RpcError {
  code: number;
  message: string;
  data: unknown;
}

function rpcFailure(error: RpcError, exit: CliFailure['exit'] = EXIT.failed): CliFailure {
  const code = tableCode(error);
  const facts = isJsonObject(error.data) ? error.data : {};
  const because = ['reason', 'problem', 'faultId'].map((name) => facts[name]).filter((fact) => typeof fact === 'string');
  const message = [error.message, ...because].join(' ').trim();
  return new CliFailure({ message, code, next: nextStep(code), exit });
}

/** The code of the table that the gateway names in the data, or the only one with this number. */
function tableCode({ code, data }: RpcError): ErrorCode | undefined {
  const named = isJsonObject(data) ? data['type'] : undefined;
  if (isErrorCode(named)) return named;
  const sameNumber = Object.entries(ERRORS).filter(([, row]) => row.rpcCode === code);
  const [only] = sameNumber;
  return sameNumber.length === 1 && only !== undefined && isErrorCode(only[0]) ? only[0] : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the status alone has to say it.
    return undefined;
  }
}
