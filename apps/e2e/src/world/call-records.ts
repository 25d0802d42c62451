import pg from 'pg';
import { admin, type World } from './world.js';

/** What a story looks at in a record. */
export interface CallRecord {
  id: string;
  edge: string;
  facts: { target: string | null };
  outcome: { status: string; code: string | null } | null;
}

/** Every record of calls of a server's tools, read in commit order by the follow cursor; the latest state of each. */
export async function callRecords(world: World, server: string, edge = 0): Promise<CallRecord[]> {
  const records = new Map<string, CallRecord>();
  const asked = `/audit/records?follow=true&since=0&limit=1000&server=${server}&method=tools/call`;
  for (let cursor = ''; ; ) {
    const { items, nextCursor } = await admin(world, edge).ok('GET', asked + cursor);
    for (const record of items) records.set(record.id, record);
    if (items.length === 0) return [...records.values()];
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

/** How the log stands: numbers that are missing per edge, stretches noted as skipped, entries put aside. */
export async function logDamage(world: World): Promise<{ missing: number; gaps: number; deadLetters: number }> {
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ missing: number; gaps: number; deadLetters: number }>(`
    SELECT (SELECT coalesce(sum(missing), 0)::int FROM (SELECT max(edge_seq) - count(*) AS missing FROM audit.entries GROUP BY edge) AS each) AS missing,
      (SELECT count(*)::int FROM audit.gaps) AS gaps, (SELECT count(*)::int FROM audit.dead_letters) AS "deadLetters"`);
  await client.end();
  return rows[0]!;
}
