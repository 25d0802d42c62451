import { directoryContracts, type SnapshotVersion } from '@gatehouse/contracts';
import type { Ephemeral } from '@gatehouse/ephemeral';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import type { DirectorySnapshots } from './directory-snapshots.js';

const EVERY_MS = 5_000;
const AFTER_TROUBLE_MS = 150;
const TTL_MS = 60_000;

/**
 * Writes the signed directory to the ephemeral store: the path by which edges hear of revocations
 * when the bus is gone. After every change and every five seconds, so that its issue time stays
 * fresh. Every replica writes; edges go by signature and version.
 */
export class DirectoryMirror {
  private running: Promise<void> | undefined;
  private stopped = false;
  private poked = false;
  private wake: () => void = () => undefined;
  private trouble = false;

  constructor(
    private readonly snapshots: DirectorySnapshots,
    private readonly ephemeral: Ephemeral,
    private readonly log: Logger,
  ) {}

  /** Begins to write, in the background, until `stop`; this is also what keeps asking the vault for the signing key. */
  start(): void {
    this.running ??= this.run();
  }

  /** Call after a change: the next write begins now. */
  poke(): void {
    this.poked = true;
    this.wake();
  }

  /** Resolves when the write under way is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.poked = false;
      await this.pause((await this.attempt()) ? EVERY_MS : AFTER_TROUBLE_MS);
    }
  }

  private async attempt(): Promise<boolean> {
    try {
      await this.write();
    } catch (error) {
      if (!this.trouble) this.log.warn({ err: error }, 'the directory cannot be mirrored');
      this.trouble = true;
      return false;
    }
    if (this.trouble) this.log.info({}, 'the directory is mirrored again');
    this.trouble = false;
    return true;
  }

  // A change may be mirrored by another replica while ours was on its way: what we overwrote comes back at once.
  private async write(): Promise<void> {
    let written: SnapshotVersion;
    do {
      const { text, keyId, signature, ...version } = await this.snapshots.newest();
      const value: z.input<typeof directoryContracts.directoryMirror> = { text, keyId, signature };
      await this.ephemeral.set(directoryContracts.DIRECTORY_MIRROR_KEY, JSON.stringify(value), TTL_MS);
      written = version;
    } while (!this.stopped && (await this.snapshots.version()).version !== written.version);
  }

  private async pause(ms: number): Promise<void> {
    if (this.poked || this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => (clearTimeout(timer), resolve());
    });
    this.wake = () => undefined;
  }
}
