import type { Refusal } from '@gatehouse/kernel';
import { PROOF_ALGS } from './dpop-proof.js';

/** What a challenge names. */
export interface Challenged {
  /** What the scope asked for is: exactly what is needed, never a catalogue. */
  readonly scope: string;
  /** Where the metadata of the resource stands (RFC 9728 section 5.1). */
  readonly metadata: string;
}

/**
 * The challenges of RFC 6750 section 3 and RFC 9449 section 7.1, one header line each: an error code
 * only when a token was sent, the one for proofs of possession only when one failed.
 */
export function challengesOf(refusal: Refusal, { scope, metadata }: Challenged): string[] {
  const where = `resource_metadata="${metadata}", scope="${scope}"`;
  if (refusal.code === 'insufficient_scope') return [`Bearer ${where}, error="insufficient_scope"`];
  if (refusal.details['tokenSent'] !== true) return [`Bearer ${where}`];
  const bearer = `Bearer ${where}, error="invalid_token"`;
  return refusal.details['proofSent'] === true ? [`DPoP ${where}, error="invalid_token", algs="${PROOF_ALGS.join(' ')}"`, bearer] : [bearer];
}
