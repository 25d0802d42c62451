import type { vaultContracts } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import type { KeyRoot } from '../keys/key-root.js';
import type { KeyStore } from '../keys/key-store.js';
import { moveRow, type Move } from './moving.js';
import type { RotationJob } from './rotation-job.js';

/** What was asked and what is answered. */
export type RotateAsked = z.output<typeof vaultContracts.rotateKeys.request>;
type Progress = z.output<typeof vaultContracts.rotationProgress.reply>;
type MoveProgress = Progress['secrets'];

const SHOWN: readonly vaultContracts.RotatedKeys[] = ['credential', 'session', 'digest', 'policy-signing', 'directory-signing', 'call-signing', 'entry'];

/** What `Rotations` works with. */
export interface RotationParts {
  db: Database;
  keys: KeyStore;
  root: KeyRoot;
  job: RotationJob;
  rootMove: Move;
  secretMove: Move;
  log: Logger;
}

/** Replaces keys on demand and tells how far the moves are. */
export class Rotations {
  constructor(private readonly parts: RotationParts) {}

  /** A new active key unless somebody else has made one; refuses as `KeyStore.rotate`. */
  async rotate({ what, expectedActive }: RotateAsked): Promise<{ rotated: boolean; active: string }> {
    const rotated = await this.parts.keys.rotate(what, { expectedActive, retireNow: false });
    const { id } = await this.parts.keys.active(what);
    if (rotated) this.parts.log.info({ what, replaced: expectedActive, active: id }, 'key rotated');
    if (rotated && what === 'credential') this.parts.job.poke();
    return { rotated, active: id };
  }

  /** The active keys, and both moves counted anew. */
  async progress(): Promise<Progress> {
    const { db, root, rootMove, secretMove } = this.parts;
    const keys = await Promise.all(SHOWN.map((what) => this.shown(what)));
    const others = await db.query<{ id: string }>('SELECT DISTINCT kek_id AS id FROM wrapped_keys WHERE kek_id <> $1 ORDER BY 1', [root.active.id]);
    await secretMove.target();
    return {
      keys,
      root: { id: root.active.id, others: others.map(({ id }) => id), move: await this.moveOf(rootMove) },
      secrets: await this.moveOf(secretMove),
    };
  }

  private async shown(what: vaultContracts.RotatedKeys): Promise<Progress['keys'][number]> {
    const [active, ...rest] = await this.parts.keys.needed(what);
    const { id, version, createdAt } = active!;
    return { what, active: id, version, createdAt, retired: rest.filter(({ state }) => state === 'retired').length };
  }

  private async moveOf(move: Move): Promise<MoveProgress> {
    return { ...(await moveRow(this.parts.db, move.what)), left: await move.left(this.parts.db) };
  }
}
