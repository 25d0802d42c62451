import type { Actor, upstreamContracts } from '@gatehouse/contracts';
import { Refusal, requireHeaderNames, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { oauthUrlProblem } from '../servers/oauth-urls.js';
import { accessText } from '../servers/server-access.js';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';
import { readPresetBook, type ShownPreset } from './preset-book.js';

type Preset = upstreamContracts.Preset;

/** What presets are kept with. */
export interface PresetsParts {
  db: Database;
  changes: SnapshotChanges;
  clock: Clock;
  log: Logger;
}

const PUT = `
  INSERT INTO presets (name, preset, written_at, written_by) VALUES ($1, $2, $3, $4)
  ON CONFLICT (name) DO UPDATE SET preset = $2, written_at = $3, written_by = $4`;
const SHARED_HOST = `
  SELECT name, host FROM presets, json_array_elements_text(preset -> 'hosts') AS host WHERE name <> $1 AND host = ANY ($2::text[]) ORDER BY name, host LIMIT 1`;
const ADDRESSES = ['issuer', 'authorizeUrl', 'tokenUrl'] as const;

/** What is known of providers: files that are shipped, and what administrators wrote over or beside them. */
export class Presets {
  constructor(private readonly parts: PresetsParts) {}

  /** All, by name. */
  async list(): Promise<ShownPreset[]> {
    return [...(await readPresetBook(this.parts.db)).list()];
  }

  /**
   * Writes one, over the built-in one by its name too. Refuses with `bad_params` an address that is not reached, with
   * `header_refused` a header that is not sent, and with `conflict` a host that another edited one has.
   */
  async put({ callerId, tokenId }: Actor, preset: Preset): Promise<ShownPreset> {
    requireAddresses(preset.oauth);
    if (preset.header !== null) requireHeaderNames([preset.header.name]);
    await this.change(async (tx) => {
      const [shared] = await tx.query<{ name: string; host: string }>(SHARED_HOST, [preset.name, preset.hosts]);
      if (shared !== undefined) throw new Refusal('conflict', { preset: shared.name, host: shared.host });
      await tx.query(PUT, [preset.name, JSON.stringify(preset), this.parts.clock.now(), callerId]);
    });
    // By name only: what weakens a check is read where it is shown.
    this.parts.log.info({ actor: callerId, tokenId, preset: preset.name, oauth: Object.keys(preset.oauth) }, 'preset written');
    return { ...preset, source: 'edited' };
  }

  /** Forgets what was written; refuses with `not_found` where nothing was. */
  async remove({ callerId, tokenId }: Actor, name: string): Promise<{ name: string }> {
    await this.change(async (tx) => {
      const gone = await tx.query('DELETE FROM presets WHERE name = $1 RETURNING name', [name]);
      if (gone.length === 0) throw new Refusal('not_found', { preset: name });
    });
    this.parts.log.info({ actor: callerId, tokenId, preset: name }, 'preset forgotten');
    return { name };
  }

  /** Edges hear of it when it changes how a server's calls are signed in. */
  private async change(write: (tx: Transaction) => Promise<void>): Promise<void> {
    await this.parts.changes.apply(async (tx) => {
      const before = await accessText(tx);
      await write(tx);
      return { result: undefined, changed: (await accessText(tx)) !== before };
    });
  }
}

function requireAddresses(oauth: Preset['oauth']): void {
  for (const member of ADDRESSES) {
    const text = oauth[member];
    const reason = text === undefined ? undefined : oauthUrlProblem(text, false);
    if (reason !== undefined) throw new Refusal('bad_params', { problem: `${member}: ${reason}` });
  }
}
