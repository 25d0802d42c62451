import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { Gauge, Logger } from '@gatehouse/telemetry';
import type { CredentialKeys } from '../keys/credential-keys.js';
import type { KeyStore } from '../keys/key-store.js';
import { KeyProviderFailure } from '../providers/key-provider.js';
import { runMove, type Move } from './moving.js';

/** What the job works with. */
export interface RotationJobParts {
  db: Database;
  keys: KeyStore;
  credentialKeys: CredentialKeys;
  moves: readonly Move[];
  providerUp: Gauge;
  log: Logger;
  clock?: Clock | undefined;
}

const IDLE_MS = 60_000;
const AGAIN_MS = 10_000;

/**
 * Every minute, and when it is poked: asks the key provider whether it works, and moves what is under
 * another key than the present one. Runs in every replica; of those one moves at a time.
 */
export class RotationJob {
  private readonly stopping = new AbortController();
  private waiting = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RotationJobParts) {}

  /** Begins with a first round. */
  start(): void {
    this.running = this.run();
  }

  /** The next round begins now, or after the one under way. */
  poke(): void {
    this.waiting.abort();
  }

  /** Ends after the round under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.poke();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.waiting = new AbortController();
      const isDone = await this.round();
      // Rejects when it is poked, which is what it waits for as well.
      await wait(isDone ? IDLE_MS : AGAIN_MS, undefined, { signal: this.waiting.signal, ref: false }).catch(() => undefined);
    }
  }

  private async round(): Promise<boolean> {
    const { moves, providerUp, log } = this.parts;
    try {
      const done: boolean[] = [];
      for (const move of moves) done.push(await runMove(this.parts.db, move, this.parts.clock));
      await this.refresh();
      providerUp.set(1);
      return done.every(Boolean);
    } catch (error) {
      if (error instanceof KeyProviderFailure) providerUp.set(0);
      log.warn({ err: error }, 'key rotation waits: the key provider or the database does not answer');
      return false;
    }
  }

  private async refresh(): Promise<void> {
    await this.parts.keys.refresh();
    this.parts.credentialKeys.keepOnly((await this.parts.keys.list('credential')).map(({ version }) => version));
  }
}
