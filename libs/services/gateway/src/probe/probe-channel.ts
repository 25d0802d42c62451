import type { JsonObject } from '@gatehouse/kernel';
import type { McpResponse } from '@gatehouse/mcp';

/** One way of speaking to a server that a probe looks at: a transport of the protocol. */
export interface ProbeChannel {
  readonly transport: 'streamable-http' | 'sse';
  /** Sends a request and gives its response; refuses as the destination does, `upstream_refused` {status, challenge}, `upstream_invalid`. */
  ask(message: JsonObject & { id: number }): Promise<McpResponse>;
  /** Sends a notification; refuses alike. */
  tell(message: JsonObject): Promise<void>;
  /** The version that `initialize` came to. */
  agree(protocolVersion: string): void;
  /** Leaves; a server that does not care is fine. */
  close(): Promise<void>;
}

const CHALLENGE_CHARS = 4_096;

/** The header of an answer that says how to sign in, cut; null when there is none. */
export function challengeIn(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const given = headers['www-authenticate'];
  const text = Array.isArray(given) ? given.join(', ') : given;
  return text === undefined ? null : text.slice(0, CHALLENGE_CHARS);
}
