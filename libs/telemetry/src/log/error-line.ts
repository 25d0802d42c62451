import { Fault, Refusal, type JsonObject } from '@gatehouse/kernel';

const MAX_CAUSES = 4;

/**
 * An error as the log shows it: known members only, because libraries hang requests, parameters and
 * headers on theirs. A refusal is no defect, so it has no stack.
 */
export function errorLine(error: unknown, depth = 0): JsonObject {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  if (error instanceof Refusal) return { type: 'Refusal', code: error.code, message: error.message, details: error.details };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(error instanceof Fault ? { id: error.id } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: error.stack ?? '',
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: errorLine(cause, depth + 1) }),
  };
}
