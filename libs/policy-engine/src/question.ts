import type { JsonObject } from '@gatehouse/kernel';

/** What a policy decides about: one person, through one client, doing one thing to one server. */
export interface Question {
  caller: { id: string; name?: string | null; email: string | null; teams: readonly string[]; roles: readonly string[] };
  /** Name of the client as the token says it. */
  client: string;
  action: 'connect' | 'call' | 'get' | 'read';
  server: { id: string; name: string };
  /** Left out for `connect`, whose resource is the server itself. */
  target?: { kind: 'tool' | 'prompt' | 'resource'; name: string };
  /** Arguments of the call; left out is the same as `{}`. */
  arguments?: JsonObject;
  /** Wall clock in milliseconds since the Unix epoch; now when left out. */
  time?: number;
}

/** The answer, with what determined it. Frozen: one object may answer many questions. */
export interface Decision {
  readonly effect: 'allow' | 'deny';
  readonly reason: 'permitted' | 'forbidden' | 'no_policy' | 'evaluation_error';
  /** Names of the policies that determined it, sorted; empty for `no_policy`. */
  readonly policies: readonly string[];
  /** `<epoch>.<version>` of the snapshot that was asked. */
  readonly snapshot: string;
}
