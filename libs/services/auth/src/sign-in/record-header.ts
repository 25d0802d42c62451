import type { FastifyReply } from 'fastify';
import { RECORD_HEADER, recordHeader, type OutcomeRecord } from '../http/outcome-record.js';

/** What becomes of a sign-in or a sign-out. */
export type SignInOutcome = 'sign_in' | 'sign_in_refused' | 'sign_out' | 'sign_out_refused';

const NOBODY = { code: null, callerId: null, callerName: null, clientId: null, target: null };

/** Lets the edge record this answer. */
export function record(reply: FastifyReply, of: Partial<OutcomeRecord> & { kind: SignInOutcome }): void {
  void reply.header(RECORD_HEADER, recordHeader({ ...NOBODY, ...of }));
}
