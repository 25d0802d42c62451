import { systemClock, type Clock } from '@gatehouse/kernel';

/** A value and how long it may be used. */
export interface Dated<T> {
  value: T;
  validMs: number;
}

// Renewed a little early: a token that ends on its way is refused.
const SPARE_MS = 30_000;

/** A credential that is fetched when it is needed and used until it ends; whoever waits at once shares one fetch. */
export class Renewable<T> {
  private held: { value: T; untilMs: number } | undefined;
  private fetching: Promise<T> | undefined;

  constructor(
    private readonly fetch: () => Promise<Dated<T>>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The value; rejects as the fetch does. */
  get(): Promise<T> {
    if (this.held !== undefined && this.clock.monotonicMs() < this.held.untilMs) return Promise.resolve(this.held.value);
    this.fetching ??= this.renew().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  /** Drops the value: the next `get` fetches anew. */
  forget(): void {
    this.held = undefined;
  }

  private async renew(): Promise<T> {
    const { value, validMs } = await this.fetch();
    this.held = { value, untilMs: this.clock.monotonicMs() + Math.max(0, validMs - SPARE_MS) };
    return value;
  }
}
