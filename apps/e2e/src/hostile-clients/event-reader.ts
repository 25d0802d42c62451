/** One event as a client reads it. */
export interface ReadEvent {
  id: string | undefined;
  message: any;
}

const LIMIT_MS = 5_000;

/** Reads the events of an open stream one by one. */
export class EventReader {
  /** Events that were read. */
  readonly seen: ReadEvent[] = [];
  /** Whether the stream is over, in order or cut. */
  ended = false;
  #waiting: (() => void)[] = [];
  readonly #reading: Promise<void>;

  constructor(answer: Response) {
    this.#reading = this.#read(answer);
  }

  /** The first event that fits, read already or still to come. */
  async first(fits: (event: ReadEvent) => boolean, limitMs = LIMIT_MS): Promise<ReadEvent> {
    for (const until = Date.now() + limitMs; Date.now() < until; ) {
      const found = this.seen.find(fits);
      if (found !== undefined) return found;
      if (this.ended) throw new Error('the stream ended before');
      await this.#moved(until - Date.now());
    }
    throw new Error(`no such event in ${limitMs} ms`);
  }

  /** Waits for the end of the stream; tells whether it came in time. */
  async end(limitMs = LIMIT_MS): Promise<boolean> {
    await Promise.race([this.#reading, new Promise((resolve) => setTimeout(resolve, limitMs).unref())]);
    return this.ended;
  }

  #moved(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, limitMs));
      this.#waiting.push(() => (clearTimeout(timer), resolve()));
    });
  }

  async #read(answer: Response): Promise<void> {
    let text = '';
    try {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const events = text.split('\n\n');
        text = events.pop()!;
        for (const event of events) this.#take(event);
      }
    } catch {
      // Cut off or cancelled: an end like any other.
    }
    this.ended = true;
    this.#wake();
  }

  #take(text: string): void {
    const field = (name: string): string[] => text.split('\n').flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).trimStart()] : []));
    const data = field('data').join('\n');
    if (data !== '' || field('id').length > 0) this.seen.push({ id: field('id')[0], message: data === '' ? undefined : JSON.parse(data) });
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
