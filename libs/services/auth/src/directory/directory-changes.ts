import { directoryContracts, type SnapshotVersion } from '@gatehouse/contracts';
import type { Database, Outbox, Transaction } from '@gatehouse/persistence';

/** What a piece of work did: its result, and whether edges must hear of it. */
export interface Change<T> {
  result: T;
  changed: boolean;
}

/** The state after a piece of work. */
export interface Changed<T> {
  result: T;
  directory: SnapshotVersion;
  changed: boolean;
}

interface StateRow {
  epoch: string;
  version: string;
}

/** The state the database is in. */
export async function directoryVersion(db: Transaction): Promise<SnapshotVersion> {
  return asVersion(await db.query<StateRow>('SELECT epoch, version FROM directory_state'));
}

/** Moves the directory on by one version, in the transaction of the change, and lets the edges know when it commits. */
export async function nextVersion(tx: Transaction, outbox: Outbox): Promise<SnapshotVersion> {
  const next = asVersion(await tx.query<StateRow>('UPDATE directory_state SET version = version + 1 RETURNING epoch, version'));
  await outbox.add(tx, directoryContracts.directoryPublished.subject, next);
  return next;
}

/** The only way to change what the directory tells. */
export class DirectoryChanges {
  /** `onChange` is called after every commit that changed something. */
  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly onChange: () => void,
  ) {}

  /**
   * Runs `work` alone: changes take turns by a lock on the state's row, so that rules over several
   * rows (the last administrator) hold, and versions grow in the order of commit.
   */
  async apply<T>(work: (tx: Transaction) => Promise<Change<T>>): Promise<Changed<T>> {
    const done = await this.db.transaction(async (tx) => {
      const before = asVersion(await tx.query<StateRow>('SELECT epoch, version FROM directory_state FOR UPDATE'));
      const { result, changed } = await work(tx);
      return { result, changed, directory: changed ? await nextVersion(tx, this.outbox) : before };
    });
    if (done.changed) this.announce();
    return done;
  }

  private announce(): void {
    this.outbox.poke();
    this.onChange();
  }
}

function asVersion(rows: readonly StateRow[]): SnapshotVersion {
  const { epoch, version } = rows[0]!;
  return { epoch, version: Number(version) };
}
