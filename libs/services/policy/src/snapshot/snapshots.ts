import type { SnapshotReply, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { chunksOf, type SnapshotSigner } from '@gatehouse/snapshots';
import { snapshotState } from './snapshot-changes.js';
import { readSnapshot } from './snapshot-text.js';

interface SignedSnapshot extends SnapshotVersion {
  chunks: readonly string[];
  keyId: string;
  signature: string;
}

/** What an edge holds and wants. */
export interface SnapshotQuestion {
  have?: SnapshotVersion | undefined;
  part: number;
}

const same = (a: SnapshotVersion, b: SnapshotVersion): boolean => a.epoch === b.epoch && a.version === b.version;

/**
 * The policy snapshot as edges fetch it: at the database's version always, whichever replica made the change. The text
 * of a version and its Ed25519 signature are the same at all replicas, so its parts may come from different ones.
 */
export class Snapshots {
  private signed: SignedSnapshot | undefined;
  private building: Promise<SignedSnapshot> | undefined;

  constructor(
    private readonly db: Database,
    private readonly signer: SnapshotSigner,
  ) {}

  /**
   * One piece of the newest snapshot, or `unchanged`. A part beyond the last is refused with `bad_params`. When it
   * cannot be built the refusal or fault passes, and edges keep what they hold.
   */
  async reply({ have, part }: SnapshotQuestion): Promise<SnapshotReply> {
    const { epoch, version } = await snapshotState(this.db);
    if (have !== undefined && same(have, { epoch, version })) return { unchanged: true, epoch, version };
    const newest = await this.at({ epoch, version });
    const chunk = newest.chunks[part];
    const parts = newest.chunks.length;
    if (chunk === undefined) throw new Refusal('bad_params', { part, parts });
    return { unchanged: false, epoch: newest.epoch, version: newest.version, parts, part, chunk, keyId: newest.keyId, signature: newest.signature };
  }

  /** Builds the newest snapshot unless it is here; rejects when it cannot be built. */
  async prepare(): Promise<void> {
    await this.at(await snapshotState(this.db));
  }

  private async at(version: SnapshotVersion): Promise<SignedSnapshot> {
    for (;;) {
      if (this.signed !== undefined && same(this.signed, version)) return this.signed;
      const built = await this.build();
      // Newer than asked for is better; older means that the build had begun before the change.
      if (built.epoch !== version.epoch || built.version >= version.version) return built;
    }
  }

  private build(): Promise<SignedSnapshot> {
    this.building ??= this.readAndSign().finally(() => (this.building = undefined));
    return this.building;
  }

  private async readAndSign(): Promise<SignedSnapshot> {
    const { state, text } = await this.db.transaction(readSnapshot);
    const { epoch, version } = state;
    this.signed = { epoch, version, chunks: chunksOf(text), ...(await this.signer.sign(text)) };
    return this.signed;
  }
}
