import { randomUUID } from 'node:crypto';
import { ERRORS, type ErrorCode } from './error-table.js';
import type { JsonObject } from './json.js';

/**
 * The system works and says no. Carries a code of the table and, in `details`, facts that may be
 * shown to the caller (never claims, tokens, header values or internal addresses).
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: ErrorCode,
    readonly details: JsonObject = {},
  ) {
    super(ERRORS[code].sentence);
  }
}

/**
 * The system does not work. `id` is what the caller is told and what the log line carries; the
 * cause stays in the log.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly id = `flt_${randomUUID()}`;
  readonly code = 'internal' satisfies ErrorCode;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** Narrows anything caught to one of the two: what is not a refusal is a fault. */
export function asRefusalOrFault(error: unknown): Refusal | Fault {
  if (error instanceof Refusal || error instanceof Fault) return error;
  return new Fault('unexpected error', { cause: error });
}

/** True when `code` is in the table, for codes that arrive over the bus. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
