import type { auditContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';

type Facts = auditContracts.RecordFacts;
type Entry = auditContracts.SpoolEntry;

/** Facts of an ordinary tool call, for the specs of this project. */
export const sampleFacts: Facts = {
  kind: 'mcp',
  caller: { kind: 'person', id: newId('person'), name: 'Ada@example.com', tokenId: newId('token'), address: '192.0.2.7' },
  client: { name: 'editor', version: '1.0.0', userAgent: 'editor/1.0' },
  eras: { client: '2025-06-18', upstream: '2025-06-18' },
  endpoint: 'tickets',
  server: { id: newId('server'), name: 'tickets' },
  method: 'tools/call',
  target: 'create_ticket',
  definition: null,
  argumentKeys: ['title'],
  argumentsDigest: 'k'.repeat(43),
  decision: { effect: 'allow', reason: 'permitted', policies: ['team-writes'], snapshot: '12' },
  identity: { visibility: 'global', id: newId('identity') },
  sessionDigest: null,
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
  steps: { forward: 3.2, total: 4.3 },
  faultId: null,
};

/** Writes entries as one edge would: each with the next number. */
export class SampleEdge {
  readonly boot = 'boot';
  private seq = 0;

  constructor(readonly id: string = newId('edge')) {}

  /** The next entry, an intent. */
  intent(callId: string, facts: Partial<Facts> = {}, at = Date.now()): Entry {
    return { ...this.base(callId, at), phase: 'intent', facts: { ...sampleFacts, ...facts } };
  }

  /** The next entry, an outcome. */
  outcome(callId: string, outcome: Partial<auditContracts.RecordOutcome> = {}, at = Date.now()): Entry {
    return { ...this.base(callId, at), phase: 'outcome', outcome: { ...sampleOutcome, ...outcome } };
  }

  /** The next entry, whole in itself. */
  single(callId: string, facts: Partial<Facts> = {}, outcome: Partial<auditContracts.RecordOutcome> = {}): Entry {
    return { ...this.base(callId, Date.now()), phase: 'single', facts: { ...sampleFacts, ...facts }, outcome: { ...sampleOutcome, ...outcome } };
  }

  /** Leaves numbers out. */
  skip(count: number): void {
    this.seq += count;
  }

  /** What is sent for these entries. */
  shipment(...entries: Entry[]): { edge: string; entries: { seq: number; body: string }[] } {
    return { edge: this.id, entries: entries.map((entry) => ({ seq: entry.origin.seq, body: JSON.stringify(entry) })) };
  }

  private base(callId: string, at: number): Pick<Entry, 'v' | 'id' | 'callId' | 'at' | 'monotonic' | 'origin'> {
    this.seq += 1;
    return { v: 1, id: newId('event'), callId, at, monotonic: 1.5, origin: { edge: this.id, boot: this.boot, seq: this.seq } };
  }
}
