import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import type { Client as ClientV2 } from '@modelcontextprotocol/client';

/** Where and as whom an official client connects. */
export interface Connection {
  url: string;
  token: string;
  /** Sends the client's requests; where they go may differ from `url`. */
  fetch?: typeof fetch;
  /** A session to go on with instead of opening one. */
  sessionId?: string;
}

/** What a call of a tool may carry besides its arguments, in both versions of the SDK. */
export interface CallOptions {
  onprogress?: (progress: { progress: number }) => void;
  signal?: AbortSignal;
  resumptionToken?: string;
  onresumptiontoken?: (token: string) => void;
}

/** A notification as the client's application got it. */
export interface Heard {
  method: string;
  params: Record<string, unknown>;
}

/** One of the official TypeScript clients, connected, with answers to everything a server may ask. */
export interface OfficialClient {
  /** The SDK's own client, for everything that both versions spell alike. */
  readonly sdk: ClientV1 | ClientV2;
  /** Notifications in the order they came, progress aside. */
  readonly heard: readonly Heard[];
  readonly sessionId: string;
  /** Calls a tool; gives the text of its result, and `tool error: ` before it when the tool failed. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  /** Ends the session at the server. */
  endSession(): Promise<void>;
  /** Drops the connection; the session stays. */
  close(): Promise<void>;
}

/** What every client of a story offers to be asked. */
export const CAPABILITIES = { roots: { listChanged: true }, sampling: {}, elicitation: {} };

/** The folder every client of a story shares. */
export const ROOT = 'file:///home/ada/project';

/** The words of the model behind every client of a story. */
export const SAMPLED = 'forty-two';

/** What the person behind every client of a story fills in. */
export const FORM = { username: 'ada', email: 'ada@example.com', name: 'Ada' };

/** Text of a tool result. */
export function resultText(result: object): string {
  const { content = [], isError } = result as { content?: { text?: string }[]; isError?: boolean };
  return (isError === true ? 'tool error: ' : '') + content.map(({ text }) => text ?? '').join('');
}

/** Headers that carry the token. */
export function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } };
}
