import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import type { McpMessage, McpNotification, McpRequest, RequestId } from './parse-message.js';

/** What a client has to have declared before a server may ask it something. */
export type ClientCapability = 'sampling' | 'elicitation' | 'roots';

/** One method that a server may send. */
export interface ServerMethodRow {
  readonly method: string;
  readonly direction: 'server_to_client';
  readonly kind: 'request' | 'notification';
  readonly capability?: ClientCapability;
}

const request = (method: string, capability?: ClientCapability): ServerMethodRow => ({
  method,
  direction: 'server_to_client',
  kind: 'request',
  ...(capability === undefined ? {} : { capability }),
});
const notification = (method: string): ServerMethodRow => ({ method, direction: 'server_to_client', kind: 'notification' });

/** Every method of 2025-03-26 to 2025-11-25 that a server may send, `tasks/*` left out. */
export const SERVER_METHODS: readonly ServerMethodRow[] = [
  request('ping'),
  request('sampling/createMessage', 'sampling'),
  request('elicitation/create', 'elicitation'),
  request('roots/list', 'roots'),
  notification('notifications/cancelled'),
  notification('notifications/progress'),
  notification('notifications/message'),
  notification('notifications/tools/list_changed'),
  notification('notifications/prompts/list_changed'),
  notification('notifications/resources/list_changed'),
  notification('notifications/resources/updated'),
  notification('notifications/elicitation/complete'),
];

const BY_METHOD = new Map(SERVER_METHODS.map((each) => [each.method, each]));

/** The row of a server's method; undefined means that the message goes no further. */
export function serverMethodRow(method: string): ServerMethodRow | undefined {
  return BY_METHOD.get(method);
}

/**
 * `relay`: pass it on. `drop`: say nothing, go on reading. `deny`: a request that the client never
 * offered to answer; answer the server with JSON-RPC error -32601 and go on reading.
 */
export type ServerMessageVerdict = 'relay' | 'drop' | 'deny';

/** The client's request that a stream belongs to; a standalone GET stream has none. */
export interface AwaitedRequest {
  readonly id: RequestId;
  /** The token sent in `params._meta`, if any: progress of other requests does not belong here. */
  readonly progressToken?: RequestId;
}

/**
 * Judges what a server sends on its own, without state: requests only of the table and only when
 * `clientCapabilities` (from the client's `initialize`) offer them; notifications only of the table,
 * unknown ones are dropped, since clients must ignore them anyway and they could carry anything.
 */
export function acceptServerMessage(message: McpRequest | McpNotification, clientCapabilities: JsonObject): ServerMessageVerdict {
  const row = serverMethodRow(message.method);
  if (row === undefined || row.kind !== message.kind) return message.kind === 'request' ? 'deny' : 'drop';
  if (row.capability === undefined) return 'relay';
  return offers(clientCapabilities[row.capability], row.capability, message.params) ? 'relay' : 'deny';
}

/** Judges the messages of one stream of a server, in order; keeps the awaited response to exactly one. */
export class ServerStreamGuard {
  private done = false;

  /** `awaited` is undefined for a standalone stream, where no response may appear. */
  constructor(
    private readonly clientCapabilities: JsonObject,
    private readonly awaited?: AwaitedRequest,
  ) {}

  /** True once the awaited response was seen. A stream that ends before is `upstream_invalid`: the caller's to say. */
  get answered(): boolean {
    return this.done;
  }

  /**
   * The verdict on the next message. Refuses `upstream_invalid` for a response to anything but the awaited
   * request: it may be another caller's answer. After the answer everything is dropped.
   */
  accept(message: McpMessage): ServerMessageVerdict {
    if (this.done) return 'drop';
    if (message.kind !== 'response') return this.isForeignProgress(message) ? 'drop' : acceptServerMessage(message, this.clientCapabilities);
    if (this.awaited === undefined || message.id !== this.awaited.id) throw new Refusal('upstream_invalid', { reason: 'unexpected_response' });
    this.done = true;
    return 'relay';
  }

  // Progress under another token is another request's: on a stream that belongs to one request it is a leak.
  private isForeignProgress(message: McpRequest | McpNotification): boolean {
    if (this.awaited === undefined || message.method !== 'notifications/progress') return false;
    return message.params?.['progressToken'] === undefined || message.params['progressToken'] !== this.awaited.progressToken;
  }
}

// 2025-11-25: `elicitation: {}` means form mode only; asking the person to open a URL needs `elicitation.url`.
function offers(declared: JsonValue | undefined, capability: ClientCapability, params: JsonObject | undefined): boolean {
  if (!isJsonObject(declared)) return false;
  if (capability !== 'elicitation') return true;
  const mode = params?.['mode'] ?? 'form';
  if (mode === 'url') return isJsonObject(declared['url']);
  return mode === 'form' && (declared['url'] === undefined || declared['form'] !== undefined);
}
