import type { auditContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import type { Unplaced } from './entry-text.js';

/** Facts of an ordinary tool call, for the specs of this folder. */
export const sampleFacts: auditContracts.RecordFacts = {
  kind: 'mcp',
  caller: { kind: 'person', id: newId('person'), name: 'ada@example.com', tokenId: newId('token'), address: '192.0.2.7' },
  client: { name: 'editor', version: '1.0.0', userAgent: 'editor/1.0' },
  eras: { client: '2025-06-18', upstream: '2025-06-18' },
  endpoint: 'tickets',
  server: { id: newId('server'), name: 'tickets' },
  method: 'tools/call',
  target: 'create_ticket',
  definition: null,
  argumentKeys: ['title', 'body'],
  argumentsDigest: 'k'.repeat(43),
  decision: { effect: 'allow', reason: 'permitted', policies: ['team-writes'], snapshot: '12' },
  identity: { visibility: 'global', id: newId('identity') },
  sessionDigest: 's'.repeat(22),
  traceId: 'a'.repeat(32),
  bytesIn: 408,
};

/** Outcome of an ordinary tool call. */
export const sampleOutcome: auditContracts.RecordOutcome = {
  status: 'ok',
  code: null,
  httpStatus: 200,
  upstreamStatus: 200,
  resultDigest: 'r'.repeat(43),
  bytesOut: 1379,
  events: 1,
  steps: { receive: 0.1, authorize: 0.02, record: 0.8, forward: 3.2, total: 4.3 },
  faultId: null,
};

/** An intent of a call; the facts are the sample's unless told. */
export function sampleIntent(callId: string, facts: Partial<auditContracts.RecordFacts> = {}): Unplaced<'intent'> {
  return { id: newId('event'), callId, at: Date.now(), monotonic: performance.now(), facts: { ...sampleFacts, ...facts } };
}

/** The outcome of a call. */
export function sampleEnd(callId: string): Unplaced<'outcome'> {
  return { id: newId('event'), callId, at: Date.now(), monotonic: performance.now(), outcome: sampleOutcome };
}

/** A refusal. */
export function sampleRefusal(callId: string): Unplaced<'single'> {
  const outcome = { ...sampleOutcome, status: 'refused', code: 'policy_denied' } as const;
  return { ...sampleIntent(callId), outcome };
}
