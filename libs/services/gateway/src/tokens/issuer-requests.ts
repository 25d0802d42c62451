import { hash } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { directoryContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { asRefusalOrFault, type Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';

/** What the requests go through. */
export interface IssuerRequestsOptions {
  bus: Bus;
  clock: Clock;
  log: Logger;
  /** Whether this edge decides by that directory (or a newer one) within the limit. */
  reached: (version: SnapshotVersion, limitMs: number) => Promise<boolean>;
}

/** A subject to be linked, as auth is asked. */
export type LinkWish = typeof directoryContracts.linkCaller.request._output;

const REFRESH_EVERY_MS = 30_000;
const ASK_AGAIN_MS = 30_000;
const REACHED_WITHIN_MS = 2_000;
const MAX_REMEMBERED = 10_000;

/** What an edge asks auth about tokens of other issuers: rarely, whatever is sent. */
export class IssuerRequests {
  readonly #refreshed = new Map<string, number>();
  readonly #linking = new Map<string, Promise<void>>();
  readonly #refused = new Map<string, number>();

  constructor(private readonly options: IssuerRequestsOptions) {}

  /** Lets auth look for new keys of an issuer, in the background and at most once in 30 s. */
  refreshKeys(issuer: string): void {
    const now = this.options.clock.monotonicMs();
    if (now - (this.#refreshed.get(issuer) ?? Number.NEGATIVE_INFINITY) < REFRESH_EVERY_MS) return;
    this.#refreshed.set(issuer, now);
    this.options.bus.request(directoryContracts.refreshIssuerKeys, { issuer }).catch((error: unknown) => {
      this.options.log.warn({ issuer, code: asRefusalOrFault(error).code }, 'keys of an issuer not refreshed');
    });
  }

  /**
   * Lets auth link a subject and waits until this edge knows of it; concurrent calls for one subject are
   * one request, and a subject that was refused is not asked about again for 30 s. Refuses as
   * `linkCaller` does.
   */
  link(wish: LinkWish): Promise<void> {
    const key = hash('sha256', JSON.stringify([wish.issuer, wish.subject]), 'base64url');
    if (this.#wasRefused(key)) return Promise.resolve();
    const running = this.#linking.get(key) ?? this.#ask(wish, key).finally(() => this.#linking.delete(key));
    this.#linking.set(key, running);
    return running;
  }

  async #ask(wish: LinkWish, key: string): Promise<void> {
    try {
      const version = await this.options.bus.request(directoryContracts.linkCaller, wish);
      await this.options.reached(version, REACHED_WITHIN_MS);
    } catch (error) {
      const { code } = asRefusalOrFault(error);
      if (code !== 'service_unavailable' && code !== 'service_timeout') this.#rememberRefused(key);
      throw error;
    }
  }

  #wasRefused(key: string): boolean {
    const at = this.#refused.get(key);
    return at !== undefined && this.options.clock.monotonicMs() - at < ASK_AGAIN_MS;
  }

  #rememberRefused(key: string): void {
    if (this.#refused.size >= MAX_REMEMBERED) this.#refused.delete(this.#refused.keys().next().value!);
    this.#refused.set(key, this.options.clock.monotonicMs());
  }
}
