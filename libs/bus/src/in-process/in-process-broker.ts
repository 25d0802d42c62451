import { systemClock, type Clock } from '@gatehouse/kernel';
import { EventHistory } from './event-history.js';
import { checkSubject, isWild, matches } from './subjects.js';

/** Gets the JSON text of a message and, for a request, the way back. */
export type Receive = (text: string, reply: Reply | undefined) => void;

/** Answers a request with JSON text. */
export type Reply = (text: string) => void;

interface Listener {
  readonly queue: string | undefined;
  readonly receive: Receive;
}

/**
 * What connects the services of one process: NATS subject rules with queue groups, and the event
 * history. One per process, shared by every `inProcessBus`. Messages are JSON text, so that nothing
 * passes here that would not pass between processes. Events live as long as the process does.
 */
export class InProcessBroker {
  /** The counterpart of the event stream. */
  readonly history: EventHistory;
  private readonly exact = new Map<string, Set<Listener>>();
  private readonly wild = new Map<string, Set<Listener>>();
  private turn = 0;

  constructor(clock: Clock = systemClock) {
    this.history = new EventHistory(clock);
  }

  /** Listens on a pattern; members of one queue group share its messages. Returns how to stop. */
  subscribe(pattern: string, receive: Receive, queue?: string): () => void {
    checkSubject(pattern, 'pattern');
    const listeners = isWild(pattern) ? this.wild : this.exact;
    const listener = { queue, receive };
    const group = listeners.get(pattern) ?? new Set();
    listeners.set(pattern, group.add(listener));
    return () => {
      group.delete(listener);
      if (group.size === 0) listeners.delete(pattern);
    };
  }

  /** Sends to every listener outside a group and to one of each group; returns to how many. */
  send(subject: string, text: string, reply?: Reply): number {
    const receivers = this.receivers(checkSubject(subject, 'subject'));
    // Later, as over a network: a sender must never find its message handled before `send` returned.
    for (const { receive } of receivers) queueMicrotask(() => receive(text, reply));
    return receivers.length;
  }

  private receivers(subject: string): Listener[] {
    const heard = [...(this.exact.get(subject) ?? [])];
    for (const [pattern, listeners] of this.wild) {
      if (matches(pattern, subject)) heard.push(...listeners);
    }
    return this.oneOfEachGroup(heard);
  }

  private oneOfEachGroup(heard: Listener[]): Listener[] {
    const groups = new Map<string, Listener[]>();
    const chosen: Listener[] = [];
    for (const listener of heard) {
      if (listener.queue === undefined) chosen.push(listener);
      else groups.set(listener.queue, [...(groups.get(listener.queue) ?? []), listener]);
    }
    this.turn += 1;
    for (const members of groups.values()) chosen.push(members[this.turn % members.length]!);
    return chosen;
  }
}
