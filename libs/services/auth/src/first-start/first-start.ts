import type { authContracts } from '@gatehouse/contracts';
import { Fault, newId, type Clock } from '@gatehouse/kernel';
import type { Database, Outbox, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { nextVersion } from '../directory/directory-changes.js';
import { builtInAdministrator, insertPerson } from '../people/person-rows.js';
import { hasTokens, insertToken } from '../tokens/token-rows.js';
import { newTokenText, tokenDigest } from '../tokens/token-text.js';
import { createTokenFile, readTokenFile, type TokenFile } from './admin-token-file.js';

/** Where the first administrator token comes from. */
export interface AdminTokenSource {
  /** Given by the operator; read only while no token was ever made. */
  given?: string | undefined;
  /** Single-process form: made here at the first start. */
  made?: string | undefined;
}

/** What the first start works with. */
export interface FirstStart {
  db: Database;
  outbox: Outbox;
  source: AdminTokenSource;
  log: Logger;
  clock: Clock;
}

// First key of a two-part advisory lock; the second is the schema's hash, because services may share a database.
const FIRST_START_LOCK = 7_210;

/**
 * On an empty database: the built-in administrator, and their token from the file the operator
 * gave or, in the single-process form, minted into a new file. Replicas take turns, so it happens
 * once. Later starts change nothing: a lost token file is told, never replaced in silence, because
 * whoever can delete a file could otherwise make themselves administrator.
 */
export async function firstStart(start: FirstStart): Promise<void> {
  const isFirst = await start.db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))', [FIRST_START_LOCK]);
    if (await hasTokens(tx)) return false;
    await bootstrap(tx, start);
    return true;
  });
  if (!isFirst) tellLostFile(start);
}

async function bootstrap(tx: Transaction, start: FirstStart): Promise<void> {
  const personId = (await builtInAdministrator(tx)) ?? (await addAdministrator(tx, start.clock));
  const text = await firstToken(start.source);
  if (text === undefined) {
    start.log.warn({}, 'there is no administrator token yet: set GATEHOUSE_ADMIN_TOKEN_FILE and start auth again');
    return;
  }
  const token = administratorToken(personId, start.clock);
  await insertToken(tx, token, tokenDigest(text));
  text.fill(0);
  await nextVersion(tx, start.outbox);
  start.log.info({ personId, tokenId: token.id }, 'administrator token taken into use');
}

async function addAdministrator(tx: Transaction, clock: Clock): Promise<string> {
  const id = newId('person', clock);
  const known = { name: 'Administrator', email: null, teams: [], source: 'local' as const, createdAt: clock.now() };
  await insertPerson(tx, { id, ...known, roles: ['administrator'] }, true);
  return id;
}

function administratorToken(personId: string, clock: Clock): authContracts.TokenSummary {
  return {
    id: newId('token', clock),
    callerId: personId,
    name: 'administrator, first start',
    scopes: ['mcp:access', 'admin'],
    createdAt: clock.now(),
    expiresAt: null,
    revokedAt: null,
  };
}

async function firstToken({ given, made }: AdminTokenSource): Promise<Buffer | undefined> {
  if (given !== undefined) return readGiven(given);
  if (made === undefined) return undefined;
  // There already when an earlier first start was cut off between writing the file and its commit.
  const left = readTokenFile(dataDirectory(made));
  if (left !== undefined) return left;
  const text = newTokenText();
  await createTokenFile(made, text);
  return text;
}

const dataDirectory = (path: string): TokenFile => ({ path, namedBy: 'the data directory' });

function readGiven(path: string): Buffer {
  const text = readTokenFile({ path, namedBy: 'GATEHOUSE_ADMIN_TOKEN_FILE' });
  if (text === undefined) throw new Fault(`GATEHOUSE_ADMIN_TOKEN_FILE names ${path}, which does not exist`);
  return text;
}

function tellLostFile({ source: { given, made }, log }: FirstStart): void {
  if (given !== undefined || made === undefined) return;
  const found = readTokenFile(dataDirectory(made));
  found?.fill(0);
  if (found !== undefined) return;
  log.warn(
    { file: made },
    'the administrator token file is gone and is not made again: create a token with another administrator token, or start anew with an empty data directory',
  );
}
