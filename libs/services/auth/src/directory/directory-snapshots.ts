import type { directoryContracts, SnapshotReply, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { chunksOf, type SnapshotSigner } from '@gatehouse/snapshots';
import { directoryVersion } from './directory-changes.js';
import { readDirectory, type DirectoryRows } from './directory-rows.js';

/** One signed text of the directory. */
export interface SignedDirectory extends SnapshotVersion {
  issuedAt: number;
  text: string;
  keyId: string;
  signature: string;
}

/** What an edge holds and wants. */
export interface SnapshotQuestion {
  have?: SnapshotVersion | undefined;
  part: number;
}

/**
 * Directories are issued at whole multiples of this (ms). With rows in a fixed order and Ed25519
 * being deterministic, all replicas then sign the same text, so that the parts of a large
 * directory may come from different ones.
 */
const ISSUE_EVERY_MS = 5_000;

const same = (a: SnapshotVersion, b: SnapshotVersion): boolean => a.epoch === b.epoch && a.version === b.version;

/** The directory as edges fetch it: at the database's version always, whichever replica made the change. */
export class DirectorySnapshots {
  private signed: SignedDirectory | undefined;
  private building: Promise<SignedDirectory> | undefined;

  constructor(
    private readonly db: Database,
    private readonly signer: SnapshotSigner,
    private readonly clock: Clock = systemClock,
  ) {}

  /** One piece of the newest directory, or `unchanged`. A part beyond the last is refused with `bad_params`. */
  async reply({ have, part }: SnapshotQuestion): Promise<SnapshotReply> {
    const newest = await this.version();
    if (have !== undefined && same(have, newest)) return { unchanged: true, ...newest };
    const { epoch, version, text, keyId, signature } = await this.at(newest);
    const chunks = chunksOf(text);
    const chunk = chunks[part];
    if (chunk === undefined) throw new Refusal('bad_params', { part, parts: chunks.length });
    return { unchanged: false, epoch, version, parts: chunks.length, part, chunk, keyId, signature };
  }

  /** The version in the database: one small query, asked at every request so that a revocation never waits for a feed. */
  version(): Promise<SnapshotVersion> {
    return directoryVersion(this.db);
  }

  /** The newest directory, signed within the last five seconds. */
  async newest(): Promise<SignedDirectory> {
    return this.at(await this.version());
  }

  private async at(version: SnapshotVersion): Promise<SignedDirectory> {
    for (;;) {
      if (this.signed !== undefined && same(this.signed, version) && this.signed.issuedAt === this.issueTime()) return this.signed;
      const built = await this.build();
      // Newer than asked for is better; older means that the build had begun before the change.
      if (built.epoch !== version.epoch || built.version >= version.version) return built;
    }
  }

  private build(): Promise<SignedDirectory> {
    this.building ??= this.readAndSign().finally(() => (this.building = undefined));
    return this.building;
  }

  private async readAndSign(): Promise<SignedDirectory> {
    const rows = await readDirectory(this.db);
    const issuedAt = this.issueTime();
    const text = directoryText(rows, issuedAt);
    const { epoch, version } = rows;
    this.signed = { epoch, version, issuedAt, text, ...(await this.signer.sign(text)) };
    return this.signed;
  }

  private issueTime(): number {
    const now = this.clock.now();
    return now - (now % ISSUE_EVERY_MS);
  }
}

/** The text that is signed. Tokens that had expired when it was issued are left out, and grants that no token of can live any more. */
export function directoryText({ epoch, version, callers, tokens, keys, denied, issuers, identities }: DirectoryRows, issuedAt: number): string {
  const text: directoryContracts.Directory = {
    epoch,
    version,
    issuedAt,
    callers,
    tokens: tokens.filter(({ expiresAt }) => expiresAt === null || expiresAt > issuedAt),
    keys,
    denied: denied.filter(({ until }) => until > issuedAt),
    issuers,
    identities,
  };
  return JSON.stringify(text);
}
