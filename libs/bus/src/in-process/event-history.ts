import type { Clock } from '@gatehouse/kernel';
import { DurableQueue } from './durable-queue.js';
import { checkSubject } from './subjects.js';

const KEPT_MS = 24 * 60 * 60 * 1000;
const KEPT_EVENTS = 10_000;
const DEDUP_MS = 10 * 60 * 1000;

interface Stored {
  readonly subject: string;
  readonly text: string;
  readonly at: number;
}

/** Gets the JSON text of each event of its subject. */
export type Hear = (text: string) => void;

/** Events of this process: kept 24 hours, at most 10 000, the oldest dropped first. */
export class EventHistory {
  private stored: Stored[] = [];
  // In order of time, so that the expired ones are always at the front.
  private readonly seen = new Map<string, number>();
  private readonly followers = new Map<string, Set<Hear>>();
  private readonly durables = new Map<string, DurableQueue>();

  constructor(private readonly clock: Clock) {}

  /** Stores and hands out; an id seen within ten minutes is stored once. */
  append(subject: string, text: string, dedupId: string): void {
    checkSubject(subject, 'subject');
    const now = this.clock.monotonicMs();
    this.forget(now, KEPT_EVENTS - 1);
    if (this.seen.has(dedupId)) return;
    this.seen.set(dedupId, now);
    this.stored.push({ subject, text, at: now });
    this.followers.get(subject)?.forEach((hear) => hear(text));
    for (const durable of this.durables.values()) {
      if (durable.subject === subject) durable.offer(text);
    }
  }

  /** Hears every event of the subject from now on; returns how to stop. */
  follow(subject: string, hear: Hear): () => void {
    const followers = this.followers.get(subject) ?? new Set();
    this.followers.set(subject, followers.add(hear));
    return () => void followers.delete(hear);
  }

  /** The queue of that name; a new one begins with everything still stored. */
  durable(name: string, subject: string): DurableQueue {
    const known = this.durables.get(name);
    if (known !== undefined) return known;
    const durable = new DurableQueue(subject, KEPT_EVENTS);
    this.durables.set(name, durable);
    this.forget(this.clock.monotonicMs(), KEPT_EVENTS);
    for (const event of this.stored) {
      if (event.subject === subject) durable.offer(event.text);
    }
    return durable;
  }

  private forget(now: number, keep: number): void {
    for (const [id, at] of this.seen) {
      if (now - at < DEDUP_MS && this.seen.size < KEPT_EVENTS) break;
      this.seen.delete(id);
    }
    const tooMany = Math.max(0, this.stored.length - keep);
    const firstKept = this.stored.findIndex((event, at) => at >= tooMany && now - event.at < KEPT_MS);
    this.stored = firstKept === -1 ? [] : firstKept === 0 ? this.stored : this.stored.slice(firstKept);
  }
}
