import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Subscription } from '../bus.js';

const REOPEN_AFTER_MS = 1_000;

/** How a loop gets its messages and what it does with each. */
export interface MessagePlan {
  /** Makes sure that stream and consumer exist and begins to pull. */
  open(): Promise<ConsumerMessages>;
  /** Never rejects. */
  handle(message: JsMsg): Promise<void>;
  /** Told why reading stopped; it is taken up again by itself. */
  interrupted(error: unknown): void;
}

/**
 * Reads messages one at a time until closed. The client resumes after a reconnect by itself; this
 * takes care of the rest: a consumer or stream that is gone (a server that lost its disk) is made again.
 */
export class MessageLoop implements Subscription {
  private readonly closing = new AbortController();
  private current: ConsumerMessages | undefined;
  private ended: Promise<void> = Promise.resolve();

  private constructor(private readonly plan: MessagePlan) {}

  /** Opens, and rejects when that fails: only a loop that once ran is repaired. */
  static async start(plan: MessagePlan): Promise<MessageLoop> {
    const loop = new MessageLoop(plan);
    loop.current = await plan.open();
    loop.ended = loop.run();
    return loop;
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.current?.stop();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.attempt(() => this.read());
      await this.pause();
      await this.attempt(() => this.reopen());
    }
  }

  private async read(): Promise<void> {
    if (this.current === undefined) return;
    for await (const message of this.current) await this.plan.handle(message);
  }

  private async reopen(): Promise<void> {
    this.current = undefined;
    if (this.closing.signal.aborted) return;
    this.current = await this.plan.open();
    if (this.closing.signal.aborted) this.current.stop();
  }

  private async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!this.closing.signal.aborted) this.plan.interrupted(error);
    }
  }

  private async pause(): Promise<void> {
    // Closing cuts the pause short, which shows as a rejection.
    await sleep(REOPEN_AFTER_MS, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }
}
