import type { JsonObject } from '@gatehouse/kernel';
import type { CheckedAnswer } from './answer-check.js';
import type { Authorized } from './authorize.js';
import type { Resolved } from './resolve.js';

/** What Gatehouse says itself; `waiting` is a stream that tells when there is more to say. */
export type OwnContent =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'message'; readonly checked: CheckedAnswer }
  | { readonly kind: 'waiting' };

/** An answer that nothing was forwarded for. */
export class AnsweredHere {
  readonly resolved: Resolved;

  constructor(
    readonly authorized: Authorized,
    readonly content: OwnContent,
  ) {
    this.resolved = authorized.resolved;
  }
}

/** A result of ours; `code` is what the record names as its cause. */
export function ownResult(authorized: Authorized, result: JsonObject, code: string | null, mintedSession?: string): AnsweredHere {
  const { intent } = authorized.resolved;
  const id = intent.kind === 'message' && intent.message.kind === 'request' ? intent.message.id : null;
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }));
  return new AnsweredHere(authorized, { kind: 'message', checked: { bytes, status: 'ok', code, mintedSession } });
}
