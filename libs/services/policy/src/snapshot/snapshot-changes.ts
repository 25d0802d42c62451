import { randomUUID } from 'node:crypto';
import { policyContracts, serverContracts, type SnapshotVersion } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Database, Outbox, Transaction } from '@gatehouse/persistence';
import type { z } from 'zod';

/** What a piece of work did: its result, and whether edges must hear of it. */
export interface Change<T> {
  result: T;
  changed: boolean;
}

/** The state after a piece of work. */
export interface Changed<T> {
  result: T;
  snapshot: SnapshotVersion;
}

interface StateRow {
  epoch: string;
  version: string;
  changed_at: string;
}

/** Which snapshot the database is at, and since when (milliseconds since the epoch). */
export interface SnapshotState extends SnapshotVersion {
  changedAt: number;
}

/** The state the database is in. */
export async function snapshotState(db: Transaction): Promise<SnapshotState> {
  return stateOf(await db.query<StateRow>('SELECT epoch, version, changed_at FROM policy_state'));
}

function stateOf(rows: readonly StateRow[]): SnapshotState {
  const { epoch, version, changed_at: changedAt } = rows[0]!;
  return { epoch, version: Number(version), changedAt: Number(changedAt) };
}

const versionOf = ({ epoch, version }: SnapshotState): SnapshotVersion => ({ epoch, version });

/** How a server is to be looked at. */
export type ProbeWanted = Partial<Pick<z.output<typeof serverContracts.probeOrdered.payload>, 'identity' | 'anew'>>;

/** The only way to change what policy keeps. */
export class SnapshotChanges {
  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs `work` alone: changes of all replicas take turns by a lock on the state's row, so that rules over several
   * rows hold and versions grow in the order of commit. When it changed something, the version grows in the same
   * transaction and edges hear of it after the commit.
   */
  async apply<T>(work: (tx: Transaction) => Promise<Change<T>>): Promise<Changed<T>> {
    const done = await this.db.transaction(async (tx) => {
      const before = stateOf(await tx.query<StateRow>('SELECT epoch, version, changed_at FROM policy_state FOR UPDATE'));
      const { result, changed } = await work(tx);
      return { result, snapshot: versionOf(changed ? await this.next(tx) : before) };
    });
    this.outbox.poke();
    return done;
  }

  /** Adds an order to look at a server to the transaction of `work`. */
  async orderProbe(tx: Transaction, serverId: string, { identity = null, anew = false }: ProbeWanted = {}): Promise<void> {
    const sql = 'UPDATE servers SET probe_ordered_at = $2 WHERE id = $1 RETURNING restarts';
    const [{ restarts } = { restarts: 0 }] = await tx.query<{ restarts: number }>(sql, [serverId, this.clock.now()]);
    const order: z.output<typeof serverContracts.probeOrdered.payload> = { serverId, probeId: randomUUID(), restarts, identity, anew };
    await this.outbox.add(tx, serverContracts.probeOrdered.subject, order);
  }

  private async next(tx: Transaction): Promise<SnapshotState> {
    const sql = 'UPDATE policy_state SET version = version + 1, changed_at = $1 RETURNING epoch, version, changed_at';
    const next = stateOf(await tx.query<StateRow>(sql, [this.clock.now()]));
    await this.outbox.add(tx, policyContracts.policySnapshotPublished.subject, { epoch: next.epoch, version: next.version });
    return next;
  }
}
