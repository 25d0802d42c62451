import type { serverContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import { keepLine } from '../servers/server-lines.js';
import { accessText } from '../servers/server-access.js';
import { readItems } from '../servers/server-rows.js';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';

/** One part of what an edge saw. */
export type ObservationPart = z.output<typeof serverContracts.toolsObserved.payload>;

type Item = serverContracts.ObservedItem;
type Health = ObservationPart['health'];

/** What observations are taken in with. */
export interface ObservationsParts {
  changes: SnapshotChanges;
  clock: Clock;
  log: Logger;
}

/** An observation whose missing parts did not come within an hour will never be whole. */
const PARTS_KEPT_MS = 3_600_000;

const INSERT_PART = `
  INSERT INTO observation_parts (server_id, probe_id, parts, part, payload, arrived_at) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT DO NOTHING`;
// A look that broke on the way does not take away what an earlier one found.
const UPDATE_HEALTH = "UPDATE servers SET health = $2, known_verdict = CASE WHEN $3::text IS NULL OR $3 = 'failed' THEN known_verdict ELSE $3 END WHERE id = $1";
const INSERT_ITEMS = `
  INSERT INTO server_items (server_id, position, kind, name, title, description, fingerprint)
  SELECT $1, position - 1, kind, name, title, description, fingerprint
  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS item (kind, name, title, description, fingerprint, position)`;

/**
 * Takes in what edges saw. Parts may come to different replicas, in any order and more than once; when the last one
 * is there, the whole is applied in one transaction, and the snapshot moves on only if an edge needs what changed.
 */
export class Observations {
  constructor(private readonly parts: ObservationsParts) {}

  /**
   * Takes in one part. What is about a server that is gone, or older than what is known, is dropped; but
   * what an older look found out about the way in stays, where the later one had an account and found nothing out.
   */
  async take(part: ObservationPart): Promise<void> {
    const now = this.parts.clock.now();
    await this.parts.changes.apply(async (tx) => {
      const [server] = await tx.query<{ health: Health }>('SELECT health FROM servers WHERE id = $1', [part.serverId]);
      if (server === undefined) return { result: undefined, changed: false };
      if (isOlder(part.health, server.health)) return { result: undefined, changed: await this.learn(tx, part, server.health) };
      const whole = await this.collect(tx, part, now);
      return { result: undefined, changed: whole !== undefined && (await this.settle(tx, part, { items: whole, known: server.health })) };
    });
  }

  private async learn(tx: Transaction, { serverId, health: { steps, verdict, advice } }: ObservationPart, known: Health): Promise<boolean> {
    if (verdict === null || (known.verdict ?? null) !== null) return false;
    const before = await accessText(tx, serverId);
    await tx.query(UPDATE_HEALTH, [serverId, JSON.stringify({ ...known, steps, verdict, advice }), verdict]);
    return (await accessText(tx, serverId)) !== before;
  }

  private async collect(tx: Transaction, part: ObservationPart, now: number): Promise<Item[] | undefined> {
    const { serverId, probeId, parts } = part;
    await tx.query('DELETE FROM observation_parts WHERE server_id = $1 AND arrived_at < $2', [serverId, now - PARTS_KEPT_MS]);
    await tx.query(INSERT_PART, [serverId, probeId, parts, part.part, JSON.stringify(part.items.map(storable)), now]);
    const sql = 'SELECT payload FROM observation_parts WHERE server_id = $1 AND probe_id = $2 AND parts = $3 AND part < $3 ORDER BY part';
    const rows = await tx.query<{ payload: Item[] }>(sql, [serverId, probeId, parts]);
    return rows.length < parts ? undefined : rows.flatMap(({ payload }) => payload);
  }

  private async settle(tx: Transaction, { serverId, probeId, health }: ObservationPart, { items, known }: { items: readonly Item[]; known: Health }): Promise<boolean> {
    await tx.query('DELETE FROM observation_parts WHERE server_id = $1 AND probe_id = $2', [serverId, probeId]);
    const checkedAt = Math.min(health.checkedAt ?? this.parts.clock.now(), this.parts.clock.now());
    const before = bringsNews(health, known) ? await accessText(tx, serverId) : undefined;
    await tx.query(UPDATE_HEALTH, [serverId, JSON.stringify({ ...health, ...findings(health, known), checkedAt }), health.verdict]);
    const hasOtherAccess = before !== undefined && (await accessText(tx, serverId)) !== before;
    await keepLine(tx, serverId, { at: checkedAt, kind: 'probe', ...toldOf(health, items) });
    // A probe that failed learned nothing about what the server offers.
    if (health.status !== 'healthy') return hasOtherAccess;
    return (await this.replaceItems(tx, serverId, firstOfEach(items))) || hasOtherAccess;
  }

  private async replaceItems(tx: Transaction, serverId: string, items: readonly Item[]): Promise<boolean> {
    const before = fingerprints(await readItems(tx, serverId, 'tool'));
    await tx.query('DELETE FROM server_items WHERE server_id = $1', [serverId]);
    const column = (of: keyof Item): (string | null)[] => items.map((item) => item[of]);
    await tx.query(INSERT_ITEMS, [serverId, column('kind'), column('name'), column('title'), column('description'), column('fingerprint')]);
    const changed = fingerprints(items.filter(({ kind }) => kind === 'tool')) !== before;
    if (changed) this.parts.log.info({ serverId, items: items.length }, 'what a server offers has changed');
    return changed;
  }
}

/** Whether it can change how the server is signed in to or spoken: most looks cannot. */
function bringsNews({ verdict, transport }: Health, known: Partial<Health>): boolean {
  return verdict !== null || (transport !== null && transport !== known.transport);
}

/** A look that had nothing to find out about the way in leaves what was found before. */
function findings(seen: Health, { transport, steps = [], verdict = null, advice = null }: Partial<Health>): Partial<Health> {
  const kept = seen.steps.length === 0 && seen.verdict === null ? { steps, verdict, advice } : {};
  return { ...kept, transport: seen.transport ?? transport ?? null };
}

/** What a probe found, in a line of the server's own log. */
function toldOf({ status, failure, detail, protocolVersion }: Health, items: readonly Item[]): Pick<serverContracts.ServerLine, 'event' | 'detail'> {
  if (status === 'healthy') return { event: 'healthy', detail: `MCP ${clean(protocolVersion ?? '')}, offers ${items.length}` };
  // It wants an account and nobody connected one: nothing is broken.
  if (status === 'unknown') return { event: 'waiting', detail: detail === null ? null : clean(detail) };
  return { event: 'failing', detail: clean([failure, detail].filter((part) => part !== null).join(': ')) };
}

/** PostgreSQL takes neither NUL nor half a surrogate pair, and upstreams send what they like. */
function clean(text: string): string {
  return Buffer.from(text.replaceAll('\u0000', '\ufffd'), 'utf8').toString('utf8');
}

function storable({ kind, name, title, description, fingerprint }: Item): Item {
  const optional = (text: string | null): string | null => (text === null ? null : clean(text));
  return { kind, name: clean(name), title: optional(title), description: optional(description), fingerprint: clean(fingerprint) };
}

function isOlder(seen: Health, known: Health): boolean {
  return seen.checkedAt !== null && known.checkedAt !== null && seen.checkedAt < known.checkedAt;
}

/** A server that lists a name twice has it once: clients find only the first. */
function firstOfEach(items: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ kind, name }) => !seen.has(`${kind} ${name}`) && seen.add(`${kind} ${name}`));
}

function fingerprints(tools: readonly Item[]): string {
  return JSON.stringify(tools.map(({ name, fingerprint }) => [name, fingerprint]).sort());
}
