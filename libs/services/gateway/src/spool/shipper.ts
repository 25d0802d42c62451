import { setTimeout as pause } from 'node:timers/promises';
import type { Backlog, Unshipped } from './backlog.js';
import type { SpoolLog } from './spool-log.js';

/** What is sent: the request of the contract `appendEntries`. */
export interface Shipment {
  edge: string;
  entries: { seq: number; body: string }[];
}

/** Sends a shipment; resolves to the commit receipt: everything of the edge up to `upTo` is in the database. */
export type Send = (shipment: Shipment) => Promise<{ upTo: number }>;

const MAX_ENTRIES = 500;
const MAX_BYTES = 200_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** A failure that lasts is logged again after so many attempts: at full backoff about every five minutes. */
const LOG_EVERY = 30;

interface Options {
  readonly edge: string;
  readonly backlog: Backlog;
  readonly log: SpoolLog;
  /** How long a batch that is not full waits for more. */
  readonly lingerMs: number;
  /** Takes a receipt; false when it confirms nothing that was not confirmed before. */
  readonly onReceipt: (upTo: number) => Promise<boolean>;
}

/** Carries entries to the audit service: in order, one batch at a time, again and again until it is confirmed. */
export class Shipper {
  private running: { abort: AbortController; done: Promise<void> } | undefined;
  private failures = 0;
  private hurry = false;

  constructor(private readonly options: Options) {}

  /** Attempts since the last success that failed. */
  get failedAttempts(): number {
    return this.failures;
  }

  /** Begins; a second start changes nothing. */
  start(send: Send): void {
    if (this.running !== undefined) return;
    const abort = new AbortController();
    this.running = { abort, done: this.run(send, abort.signal) };
  }

  /** Ends after the shipment that is on its way; what is not confirmed stays in the backlog. */
  async stop(): Promise<void> {
    const { running } = this;
    running?.abort.abort();
    this.options.backlog.wake();
    await running?.done;
    this.running = undefined;
  }

  /** From now on no batch waits for more. */
  hasten(): void {
    this.hurry = true;
  }

  private async run(send: Send, signal: AbortSignal): Promise<void> {
    const { backlog, lingerMs } = this.options;
    while (!signal.aborted) {
      await backlog.something();
      if (!this.hurry && !backlog.has(MAX_ENTRIES)) await rest(lingerMs, signal);
      if (!signal.aborted && !(await this.shipOne(send))) await this.backOff(signal);
    }
  }

  private async shipOne(send: Send): Promise<boolean> {
    const { backlog, edge, onReceipt } = this.options;
    try {
      const batch = await backlog.peek(MAX_ENTRIES, MAX_BYTES);
      if (batch.length === 0) return true;
      const { upTo } = await send({ edge, entries: batch.map(({ seq, body }) => ({ seq, body })) });
      if (!(await onReceipt(upTo))) return this.failed({ upTo, sent: range(batch) });
    } catch (error) {
      return this.failed({ err: error });
    }
    if (this.failures > 0) this.options.log.info({ attempts: this.failures }, 'records reach the audit service again');
    this.failures = 0;
    return true;
  }

  private failed(why: object): false {
    if (this.failures % LOG_EVERY === 0) this.options.log.warn({ ...why, attempts: this.failures + 1 }, 'records do not reach the audit service: they stay in the spool');
    this.failures += 1;
    return false;
  }

  private async backOff(signal: AbortSignal): Promise<void> {
    const full = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.failures - 1, 10), LAST_RETRY_MS);
    await rest(full / 2 + (Math.random() * full) / 2, signal);
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  // Aborting only ends the rest early.
  await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

function range(batch: readonly Unshipped[]): { from: number | undefined; to: number | undefined } {
  return { from: batch[0]?.seq, to: batch.at(-1)?.seq };
}
