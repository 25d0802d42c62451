import {
  mayHoldReservedMeta,
  parseBody,
  readId,
  reservedMetaKeys,
  stripReservedMeta,
  type McpMessage,
} from '@gatehouse/mcp';
import { Refusal } from '@gatehouse/kernel';
import { readBody } from '../http/read-body.js';
import { headerOf } from '../http/request-head.js';
import { LIMITS } from '../limits.js';
import type { Caller } from './authenticate.js';

let earn: (caller: Caller, message: McpMessage | readonly McpMessage[] | undefined, bytes: Buffer) => Read;

/** A request whose body was read and parsed, once: what is decided on and what is forwarded are the same bytes. */
export class Read {
  protected readonly earned = true;

  private constructor(
    readonly caller: Caller,
    /** `undefined` for GET and DELETE; an array for a batch. */
    readonly message: McpMessage | readonly McpMessage[] | undefined,
    readonly bytes: Buffer,
  ) {}

  static {
    earn = (caller, message, bytes) => new Read(caller, message, bytes);
  }
}

const NO_BYTES = Buffer.alloc(0);
const JSON_TYPE = /^application\/json(?:\s*;\s*charset=utf-8)?\s*$/i;

/**
 * Reads and parses the body of a POST. Refuses with `unsupported_media_type`, `not_acceptable`,
 * `too_large`, `request_timeout`, and what the parser refuses with.
 */
export async function read(caller: Caller): Promise<Read> {
  const { request, verb, draft } = caller.received;
  if (verb !== 'POST') return earn(caller, undefined, NO_BYTES);
  if (!JSON_TYPE.test(headerOf(request, 'content-type') ?? '')) throw new Refusal('unsupported_media_type');
  requireBothTypes(headerOf(request, 'accept'));
  const bytes = await readBody(request, LIMITS.requestBytes, LIMITS.requestMs);
  draft.facts.bytesIn = bytes.length;
  const message = parsed(bytes, caller);
  if (!mayHoldReservedMeta(bytes)) return earn(caller, message, bytes);
  return Array.isArray(message) ? earn(caller, message.map(withoutReserved), bytes) : withReservedStripped(caller, message as McpMessage, bytes);
}

/** A batch member becomes a request of its own, decided alone. */
export function memberOf(caller: Caller, message: McpMessage): Read {
  return earn(caller, message, serialise(message));
}

/** The bytes of one message. */
export function serialise(message: McpMessage): Buffer {
  const { kind: _kind, ...members } = message;
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...members }));
}

function parsed(bytes: Buffer, { received }: Caller): McpMessage | McpMessage[] {
  try {
    const message = parseBody(bytes);
    if (!Array.isArray(message) && message.kind === 'request') received.draft.asked = { id: message.id, method: message.method };
    return message;
  } catch (error) {
    received.draft.asked.id = readId(bytes);
    throw error;
  }
}

// Reserved `_meta` keys speak to the next hop, which is Gatehouse: they end here (E-41). A stateless
// claim is not stripped but refused later, since it says which protocol the client speaks.
function withReservedStripped(caller: Caller, message: McpMessage, bytes: Buffer): Read {
  const stripped = withoutReserved(message);
  return stripped === message ? earn(caller, message, bytes) : earn(caller, stripped, serialise(stripped));
}

const VERSION_CLAIM = 'io.modelcontextprotocol/protocolVersion';

function withoutReserved(message: McpMessage): McpMessage {
  if (message.kind === 'response' || message.params === undefined) return message;
  const reserved = reservedMetaKeys(message.params);
  if (reserved.length === 0 || reserved.includes(VERSION_CLAIM)) return message;
  return { ...message, params: stripReservedMeta(message.params) };
}

/** As the SDKs send it, which is nearly always. */
const USUAL_ACCEPT = 'application/json, text/event-stream';

function requireBothTypes(accept: string | undefined): void {
  if (accept === USUAL_ACCEPT) return;
  const accepted = accept?.toLowerCase() ?? '';
  if (accepted.includes('*/*')) return;
  if (!accepted.includes('application/json') || !accepted.includes('text/event-stream')) throw new Refusal('not_acceptable');
}
