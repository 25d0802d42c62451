import type { Logger } from '@gatehouse/telemetry';
import { KeyProviderFailure } from '../providers/key-provider.js';
import type { KeyStore } from './key-store.js';

// V-16 grants ten seconds from the key service's return: the wait, and a try of which half may still hang.
const RETRY_MS = 2_000;

/** Opens the vault's keys at the start, and goes on trying while the key service is away. */
export class Unsealing {
  private state: true | string = 'keys not opened yet';
  private timer: NodeJS.Timeout | undefined;
  private trying: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly keys: KeyStore,
    private readonly log: Logger,
  ) {}

  /** True once the keys are open, or what they wait for. */
  get ready(): true | string {
    return this.state;
  }

  /** The first try. What no waiting cures is thrown: a foreign key, another environment's database. */
  async start(): Promise<void> {
    const failure = await this.attempt();
    if (failure === undefined || failure instanceof KeyProviderFailure) return;
    await this.stop();
    throw failure;
  }

  /** Tries no more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.trying;
  }

  private async attempt(): Promise<unknown> {
    try {
      await this.keys.ensureActive();
      this.state = true;
      this.log.info('vault keys opened');
      return undefined;
    } catch (failure) {
      this.note(failure as Error);
      return failure;
    }
  }

  private note(failure: Error): void {
    const said = `key provider: ${failure.message}`;
    if (said !== this.state) this.log.error({ err: failure }, 'the vault is sealed until its key provider answers');
    this.state = said;
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.trying = this.attempt().then(() => undefined);
    }, RETRY_MS);
  }
}
