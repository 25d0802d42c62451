import type { identityContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { needsNoSignIn } from './granted-access.js';
import type { IdentityRow } from './identity-rows.js';
import { isFresh } from './token-life.js';

/** What an edge asks when a token is about to end, has ended, or was refused. */
export type RefreshQuestion = z.output<typeof identityContracts.refreshIdentity.request>;

/** What an edge is to do. */
export type RefreshAnswer = z.output<typeof identityContracts.refreshIdentity.reply>;

/** What is to be done for a question: answer it, end the identity, note that the server refused, or refresh. */
export type Verdict = RefreshAnswer | { end: NonNullable<IdentityRow['reason']> } | 'note_refusal' | 'refresh';

/** A refusal counts as one in a row with the next one when that comes within so long (ms). */
const HEADERS_WINDOW_MS = 10 * 60_000;
/** A token that was got because the one before was refused has proven itself after so long (ms). */
const TOKEN_WINDOW_MS = 60_000;
/** Calls that were under way together report one refusal: two count when they are so far apart (ms). */
const APART_MS = 1_000;

const answer = (outcome: RefreshAnswer['outcome'], reason: RefreshAnswer['reason'] = null): RefreshAnswer => ({ outcome, reason });

/** Whether a new token can be had without the owner. */
export const isRenewable = ({ grant, refreshRef }: Pick<IdentityRow, 'grant' | 'refreshRef'>): boolean => refreshRef !== null || needsNoSignIn(grant);

/** Whether its authorization server did not answer lately, and is not asked for a while. */
export const isLeftAlone = ({ retryAt }: IdentityRow, nowMs: number): boolean => retryAt !== null && retryAt > nowMs;

/**
 * What a question comes to, by the row alone. A question about an older credential than the present
 * one is answered by leasing again. What a server says to headers, or to a token that was just got
 * because the one before was refused and that was never taken, ends the identity when it says it twice in
 * a row at least a second apart: once may be the server's own trouble, and nothing here could make the credential better.
 */
export function judge(row: IdentityRow, question: RefreshQuestion, nowMs: number): Verdict {
  if (row.status === 'needs_reauth' || row.status === 'revoked') return answer('dead', row.reason);
  if (question.version < row.credentialVersion && question.version > 0) return answer('fresh');
  if (question.cause === 'refused') return judgeRefusal(row, question, nowMs);
  if (row.method === 'headers') return answer('unchanged');
  return isRenewable(row) ? judgeAge(row, question, nowMs) : judgeUnrenewable(row, nowMs);
}

function judgeUnrenewable({ expiresAt }: IdentityRow, nowMs: number): Verdict {
  return expiresAt !== null && expiresAt <= nowMs ? { end: 'no_refresh_token' } : answer('unchanged');
}

function judgeAge(row: IdentityRow, { cause }: RefreshQuestion, nowMs: number): Verdict {
  if (cause === 'restarted') return 'refresh';
  if (isFresh(row, nowMs)) return answer(cause === 'expired' ? 'fresh' : 'unchanged');
  return isLeftAlone(row, nowMs) ? answer('retrying', row.reason) : 'refresh';
}

function judgeRefusal(row: IdentityRow, { wasAccepted }: RefreshQuestion, nowMs: number): Verdict {
  const sinceMs = row.refusedAt === null ? Infinity : nowMs - row.refusedAt;
  if (row.method === 'headers') return judgeAgain(sinceMs, HEADERS_WINDOW_MS, 'note_refusal');
  if (!isRenewable(row)) return { end: 'no_refresh_token' };
  if (isLeftAlone(row, nowMs)) return answer('retrying', row.reason);
  return wasAccepted === true ? 'refresh' : judgeAgain(sinceMs, TOKEN_WINDOW_MS, 'refresh');
}

function judgeAgain(sinceMs: number, windowMs: number, first: Verdict): Verdict {
  if (sinceMs > windowMs) return first;
  return sinceMs < APART_MS ? answer('unchanged') : { end: 'server_refused' };
}
