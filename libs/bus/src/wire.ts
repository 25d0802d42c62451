import { Fault, isErrorCode, isJsonObject, Refusal, type ErrorCode, type JsonObject } from '@gatehouse/kernel';

/** NATS refuses more than this unless configured otherwise; the in-process adapter keeps to it too. */
export const MAX_PAYLOAD_BYTES = 1_048_576;

/** No UTF-16 unit takes more than three bytes of UTF-8: a shorter text need not be counted. */
const SURELY_FITS = MAX_PAYLOAD_BYTES / 3;

/** An error as it travels: never a message or a stack, which may hold secrets of the owner. */
export interface WireError {
  readonly code: ErrorCode;
  /** Of the fault that the owner logged. */
  readonly id?: string;
  readonly details: JsonObject;
}

/** JSON text of a packet or an event; Refusal too_large over the limit, Fault for what JSON cannot carry. */
export function encode(value: unknown): string {
  const text = toText(value);
  if (text.length > SURELY_FITS && Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) throw new Refusal('too_large', { limit: MAX_PAYLOAD_BYTES });
  return text;
}

function toText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new Fault('a value for the bus cannot be written as JSON', { cause: error });
  }
}

/** What the caller is told of an error. */
export function toWireError(error: Refusal | Fault): WireError {
  if (error instanceof Refusal) return { code: error.code, details: error.details };
  return { code: 'internal', id: error.id, details: {} };
}

/** The refusal that a received error stands for; what is not of that shape is an internal error without an id. */
export function fromWireError(error: unknown): Refusal {
  if (!isJsonObject(error) || !isErrorCode(error['code'])) return new Refusal('internal');
  const details = isJsonObject(error['details']) ? error['details'] : {};
  const id = error['id'];
  return new Refusal(error['code'], typeof id === 'string' ? { ...details, id } : details);
}
