import type { serverContracts, upstreamContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import { effectiveOauth } from '../presets/effective-oauth.js';
import { readPresetBook, type PresetBook } from '../presets/preset-book.js';
import { effectiveAccess, type AccessAsSet, type EffectiveAccess } from './effective-access.js';

/** The columns of a server that say how it is signed in to. */
export interface AccessRow {
  url: string;
  transport: AccessAsSet['transport'];
  auth: AccessAsSet['auth'];
  oauth: upstreamContracts.UpstreamOauth;
  identity_mode: upstreamContracts.IdentityMode | null;
  headers: readonly unknown[];
  secret_headers: readonly string[];
  known_verdict: upstreamContracts.AuthVerdict | null;
  health: Partial<serverContracts.Server['health']>;
}

/** What applies to a server, all told. */
export interface ServerAccess extends EffectiveAccess {
  oauth: upstreamContracts.UpstreamOauth;
  preset: upstreamContracts.Preset | null;
}

/** What applies to a server: its own settings over its preset's, and what probes found. */
export function accessOf(row: AccessRow, book: PresetBook): ServerAccess {
  const preset = book.of(row.url);
  const oauth = effectiveOauth(preset?.oauth ?? {}, row.oauth);
  const set: AccessAsSet = {
    auth: row.auth,
    identityMode: row.identity_mode,
    transport: row.transport,
    hasPlainHeaders: row.headers.length > 0,
    hasSecretHeaders: row.secret_headers.length > 0,
    grant: oauth.grant,
  };
  return { ...effectiveAccess(set, { verdict: row.known_verdict, transport: row.health.transport ?? null }), oauth, preset };
}

/** What edges are told of all servers' access, or of one's: as long as the text is the same they need not hear of it. */
export async function accessText(tx: Transaction, serverId: string | null = null): Promise<string> {
  const book = await readPresetBook(tx);
  const rows = await tx.query<AccessRow>('SELECT * FROM servers WHERE $1::text IS NULL OR id = $1 ORDER BY id', [serverId]);
  return JSON.stringify(rows.map((row) => accessOf(row, book)).map(({ auth, identityMode, transport, oauth }) => [auth, identityMode, transport, oauth.grant ?? null]));
}
