import { directoryContracts } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import { asRefusalOrFault, isJsonObject, type Clock } from '@gatehouse/kernel';
import type { VerificationKeys } from '@gatehouse/snapshots';
import type { Logger } from '@gatehouse/telemetry';
import type { SnapshotFeed } from './snapshot-feed.js';

const POLL_MS = 5_000;

/** What the mirror reads from and hands to. */
export interface MirrorOptions {
  ephemeral: Ephemeral;
  feed: SnapshotFeed<directoryContracts.Directory>;
  keys: () => Promise<VerificationKeys>;
  clock: Clock;
  log: Logger;
}

/**
 * The second path of the revocation feed: the signed directory as auth leaves it in the ephemeral
 * store. Either path alone keeps the directory fresh; only when both are silent does the lease end.
 */
export class DirectoryMirror {
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;

  constructor(private readonly options: MirrorOptions) {}

  /** Starts polling every five seconds. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    }, POLL_MS).unref();
  }

  /** Stops polling. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const stored = await this.options.ephemeral.get(directoryContracts.DIRECTORY_MIRROR_KEY);
      if (stored !== undefined) this.#accept(stored, await this.options.keys());
    } catch (error) {
      this.options.log.warn({ code: asRefusalOrFault(error).code }, 'directory mirror not read');
    }
  }

  #accept(stored: string, keys: VerificationKeys): void {
    const mirrored = directoryContracts.directoryMirror.parse(JSON.parse(stored));
    const signed: unknown = JSON.parse(mirrored.text);
    const issuedAt = isJsonObject(signed) && typeof signed['issuedAt'] === 'number' ? signed['issuedAt'] : 0;
    this.options.feed.accept(mirrored, keys, Math.max(0, this.options.clock.now() - issuedAt));
  }
}
