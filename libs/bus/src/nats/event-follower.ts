import type { ConsumerMessages, JetStreamManager, JsMsg, StreamInfo } from '@nats-io/jetstream';
import { ensureEventStream, EVENT_STREAM } from './event-stream.js';

const PULL_EXPIRES_MS = 5_000;

/** Where a follower is in the stream, so that it goes on after an interruption without gap or repeat. */
export class EventFollower {
  private seen: number | undefined;
  private streamCreated = '';

  constructor(
    private readonly manager: JetStreamManager,
    private readonly subject: string,
  ) {}

  /** Pulls everything after what was seen; at first, everything after now. */
  async open(): Promise<ConsumerMessages> {
    const stream = await ensureEventStream(this.manager);
    const start = this.startIn(stream);
    this.seen = start - 1;
    this.streamCreated = stream.created;
    const consumers = this.manager.jetstream().consumers;
    const consumer = await consumers.get(EVENT_STREAM, { filter_subjects: this.subject, opt_start_seq: start });
    return consumer.consume({ expires: PULL_EXPIRES_MS, abort_on_missing_resource: true });
  }

  /** Marks a message as seen. */
  note(message: JsMsg): void {
    this.seen = message.seq;
  }

  private startIn(stream: StreamInfo): number {
    if (this.seen === undefined) return stream.state.last_seq + 1;
    // A stream made anew (the server lost its disk) counts from one, and all of it is news.
    return stream.created === this.streamCreated ? this.seen + 1 : 1;
  }
}
