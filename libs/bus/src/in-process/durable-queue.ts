import type { Delivery, Verdict } from '../delivery.js';

/** Handles one delivery and says what becomes of the event. */
export type Deliver = (delivery: Delivery) => Promise<Verdict>;

interface Member {
  readonly deliver: Deliver;
  running: Promise<void> | undefined;
}

/** The events that competing consumers of one durable still have to handle, oldest first. */
export class DurableQueue {
  private readonly waiting: Delivery[] = [];
  private readonly members = new Set<Member>();

  constructor(
    readonly subject: string,
    private readonly maxWaiting: number,
  ) {}

  /** Adds a new event; over the limit the oldest waiting one is dropped, as a stream's limit would. */
  offer(text: string): void {
    this.add({ text, attempt: 1 });
  }

  /** Takes part: gets one event at a time. Returns how to leave, which waits for the running one. */
  join(deliver: Deliver): () => Promise<void> {
    const member: Member = { deliver, running: undefined };
    this.members.add(member);
    this.dispatch();
    return async () => {
      this.members.delete(member);
      await member.running;
    };
  }

  private add(delivery: Delivery): void {
    this.waiting.push(delivery);
    if (this.waiting.length > this.maxWaiting) this.waiting.shift();
    this.dispatch();
  }

  private dispatch(): void {
    for (const member of this.members) {
      if (member.running !== undefined) continue;
      const next = this.waiting.shift();
      if (next === undefined) return;
      member.running = this.run(member, next);
    }
  }

  private async run(member: Member, delivery: Delivery): Promise<void> {
    await Promise.resolve();
    const verdict = await member.deliver(delivery);
    member.running = undefined;
    // Behind the others, so that the members take turns.
    if (this.members.delete(member)) this.members.add(member);
    if (verdict.kind === 'retry') this.later(delivery, verdict.afterMs);
    this.dispatch();
  }

  private later(delivery: Delivery, afterMs: number): void {
    const again = { text: delivery.text, attempt: delivery.attempt + 1 };
    setTimeout(() => this.add(again), afterMs).unref();
  }
}
