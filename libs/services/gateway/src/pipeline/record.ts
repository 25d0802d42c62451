import type { auditContracts } from '@gatehouse/contracts';
import { newId, type ErrorCode } from '@gatehouse/kernel';
import type { RequestId } from '@gatehouse/mcp';
import type { HopTimes } from '@gatehouse/outbound';
import { logCallHops, recordedHops } from '../debug-hops/call-hops.js';
import type { Edge } from '../edge.js';

type Facts = auditContracts.RecordFacts;
type Outcome = auditContracts.RecordOutcome;
type Timing = keyof auditContracts.StepTimings;
type Step = Exclude<Timing, 'total'>;

const NO_STEPS: Readonly<Record<Timing, undefined>> = {
  ...{ receive: undefined, authenticate: undefined, resolve: undefined, authorize: undefined },
  ...{ record: undefined, credential: undefined, forward: undefined, respond: undefined, total: undefined },
};
const ANONYMOUS: Facts['caller'] = { kind: 'anonymous', id: null, name: null, tokenId: null, address: null };

/** What a call ended with; the rest of the outcome the draft knows itself. */
export type Ending = Pick<Outcome, 'status'> & { code?: ErrorCode | string | null; reason?: string; httpStatus?: number | null; faultId?: string | null };

/**
 * The record of one call, opened with its first byte and closed when its answer ends. It stands beside
 * the steps: they tell it what they found, none of them reads it to decide.
 */
export class CallDraft {
  readonly callId: string;
  readonly facts: Facts;
  // Every step from the start: an object that grows by one name per step would change its shape eight times per call.
  readonly #steps: Record<Timing, number | undefined> = { ...NO_STEPS };
  bytesOut = 0;
  events = 0;
  upstreamStatus: number | null = null;
  resultDigest: string | null = null;
  /** Filled by the request to the upstream while its server is being debugged. */
  hops: HopTimes | undefined = undefined;
  /** What an error must answer: the request's id and method, as far as they could be read. */
  asked: { id: RequestId | undefined; method: string | undefined } = { id: undefined, method: undefined };
  /** Whether the client said that it has its person open pages (`elicitation.url`). */
  opensPages = false;
  readonly #at: number;
  readonly #started: number;
  #last: number;
  #intended = false;
  #closed = false;

  constructor(
    private readonly edge: Edge,
    address: string | null,
    userAgent: string | null,
  ) {
    this.callId = newId('call', edge.clock);
    this.#at = edge.clock.now();
    this.#started = edge.clock.monotonicMs();
    this.#last = this.#started;
    this.facts = {
      kind: 'mcp',
      caller: { ...ANONYMOUS, address },
      client: { name: null, version: null, userAgent },
      eras: { client: null, upstream: null },
      endpoint: null,
      server: null,
      method: null,
      target: null,
      definition: null,
      argumentKeys: [],
      argumentsDigest: null,
      decision: null,
      identity: null,
      sessionDigest: null,
      traceId: null,
      bytesIn: 0,
    };
    edge.metrics.inFlight.add(1);
  }

  /** Whether the outcome was written. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the intent was written: from then on the upstream may have been contacted. */
  get intended(): boolean {
    return this.#intended;
  }

  /** Notes that a step ended: its milliseconds are those since the one before. */
  mark(step: Step): void {
    const now = this.edge.clock.monotonicMs();
    this.#steps[step] = rounded(now - this.#last);
    this.#last = now;
  }

  /** Writes the intent and waits until it is durable; refuses with `audit_unavailable`, and then nothing may be forwarded. */
  async intend(): Promise<void> {
    const { callId, facts } = this;
    await this.edge.spool.intent({ id: this.#eventId(), callId, at: this.#at, monotonic: this.#monotonic(), facts });
    this.#intended = true;
    this.mark('record');
  }

  /** Writes how it ended, once; later endings of the same call (a socket that closes after an error) are not another fact. */
  close(ending: Ending): void {
    if (this.#closed) return;
    this.#closed = true;
    const { callId, facts } = this;
    const outcome = this.#outcome(ending);
    if (outcome.hops !== undefined) logCallHops(this.edge.log, { callId, facts, outcome });
    const [id, at, monotonic] = [this.#eventId(), this.edge.clock.now(), this.#monotonic()];
    if (this.#intended) this.edge.spool.outcome({ id, callId, at, monotonic, outcome });
    else this.edge.spool.single({ id, callId, at, monotonic, facts, outcome });
    this.edge.metrics.inFlight.add(-1);
    this.edge.metrics.calls.labels(ending.status).inc();
    this.edge.metrics.seconds.observe((outcome.steps.total ?? 0) / 1_000);
  }

  /** Forgets a draft of something that needs no record (reading through the admin API). */
  discard(): void {
    this.#closed = true;
    this.edge.metrics.inFlight.add(-1);
  }

  #eventId(): string {
    return newId('event', this.edge.clock);
  }

  #monotonic(): number {
    return rounded(this.edge.clock.monotonicMs());
  }

  // Whole literals, here and above: for members that are spread in the engine looks up a shape each time.
  #outcome(ending: Ending): Outcome {
    this.#steps.total = rounded(this.edge.clock.monotonicMs() - this.#started);
    return {
      status: ending.status,
      code: ending.code ?? null,
      reason: ending.reason,
      httpStatus: ending.httpStatus ?? null,
      upstreamStatus: this.upstreamStatus,
      resultDigest: this.resultDigest,
      bytesOut: this.bytesOut,
      events: this.events,
      steps: this.#steps as auditContracts.StepTimings,
      hops: this.hops && recordedHops(this.hops),
      faultId: ending.faultId ?? null,
    };
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
