import { randomUUID } from 'node:crypto';
import type { Actor, policyContracts } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { z } from 'zod';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';
import { requireCertificates } from './ca-certificate.js';
import { requireHeaderNames } from './header-names.js';
import { keepLine, readLines, type LinesWanted } from './server-lines.js';
import { nameFromUrl, uniqueName } from './server-name.js';
import { readItems, readServer, readServers, UNKNOWN_HEALTH } from './server-rows.js';
import { requireServerUrl } from './server-url.js';

type Server = policyContracts.Server;

/** What a server is registered with. */
export type ServerInput = z.output<typeof policyContracts.serverInput>;

/** Which server is to change, by whom, and the revision it must still have. */
export interface ServerChange {
  actor: Actor;
  name: string;
  revision: number | null;
}

/** What the register works with. */
export interface ServersParts {
  db: Database;
  changes: SnapshotChanges;
  clock: Clock;
  log: Logger;
}

const INSERT = `
  INSERT INTO servers
    (id, name, url, stateless, allow_private_network, ca_certificate, state, identity_mode, identity_id, headers, secret_headers, health, created_at, revision)
  VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, $10, $11, $12, 1)`;

const RESTART = "UPDATE servers SET state = 'running', health = $2, restarts = restarts + 1, revision = revision + 1 WHERE id = $1";

/** The register of servers. */
export class Servers {
  constructor(private readonly parts: ServersParts) {}

  /** All servers, by name. */
  list(): Promise<Server[]> {
    return readServers(this.parts.db);
  }

  /** One server; refuses with `unknown_server`. */
  get(name: string): Promise<Server> {
    return readServer(this.parts.db, name);
  }

  /** What a server offered when it was last seen well; refuses with `unknown_server`. */
  async items(name: string, kind: string | null): Promise<policyContracts.ObservedItem[]> {
    const { id } = await this.get(name);
    return readItems(this.parts.db, id, kind);
  }

  /** Lines of a server's own log, oldest first; refuses with `unknown_server`. */
  async lines(name: string, wanted: LinesWanted): Promise<policyContracts.ServerLine[]> {
    const { id } = await this.get(name);
    return readLines(this.parts.db, id, wanted);
  }

  /** The slug of the endpoint by that name, or of the only one that runs; null when there is none, or more than one. */
  async endpoint(slug: string | null): Promise<string | null> {
    const rows = await this.parts.db.query<{ name: string }>("SELECT name FROM servers WHERE name = $1 OR ($1::text IS NULL AND state = 'running') LIMIT 2", [slug]);
    return rows.length === 1 ? rows[0]!.name : null;
  }

  /** Registers a server and orders its first probe. Refuses with `conflict`, `url_refused`, `header_refused`, `certificate_refused`, `bad_params`. */
  async add(actor: Actor, asked: ServerInput): Promise<Server> {
    const input = { ...asked, caCertificate: asked.caCertificate === null ? null : requireCertificates(asked.caCertificate, this.parts.clock.now()) };
    requireServerUrl(input.url, input.allowPrivateNetwork);
    requireHeaderNames([...input.headers.map(([name]) => name), ...input.secretHeaders]);
    requireIdentity(input);
    const { result } = await this.parts.changes.apply(async (tx) => {
      const name = await this.freeName(tx, input);
      await this.insert(tx, name, input);
      await this.tell(tx, input.id, 'registered');
      await this.parts.changes.orderProbe(tx, input.id, randomUUID());
      return { result: await readServer(tx, name), changed: true };
    });
    this.note(actor, result, 'server registered');
    return result;
  }

  /** Takes a server out; refuses like every change with `unknown_server` and `precondition_failed`. */
  remove(change: ServerChange): Promise<Server> {
    return this.change(change, 'server removed', async (tx, { id }) => {
      await tx.query('DELETE FROM servers WHERE id = $1', [id]);
      return true;
    });
  }

  /** Stops a server; stopping it again changes nothing. */
  stop(change: ServerChange): Promise<Server> {
    return this.change(change, 'server stopped', (tx, server) => this.setState(tx, server, 'stopped'));
  }

  /** Starts a server and orders a probe. */
  start(change: ServerChange): Promise<Server> {
    return this.change(change, 'server started', async (tx, server) => {
      const changed = await this.setState(tx, server, 'running');
      await this.parts.changes.orderProbe(tx, server.id, randomUUID());
      return changed;
    });
  }

  /** Starts a server if it is stopped, has edges forget leases and connections, and orders a probe: until then its health is unknown. */
  restart(change: ServerChange): Promise<Server> {
    return this.change(change, 'server restarted', async (tx, { id }) => {
      await tx.query(RESTART, [id, JSON.stringify(UNKNOWN_HEALTH)]);
      await this.tell(tx, id, 'restarted');
      await this.parts.changes.orderProbe(tx, id, randomUUID());
      return true;
    });
  }

  /** Orders a probe now. */
  probe(change: ServerChange): Promise<Server> {
    return this.change(change, 'server probe ordered', async (tx, { id }) => {
      await this.parts.changes.orderProbe(tx, id, randomUUID());
      return false;
    });
  }

  private async change(asked: ServerChange, event: string, act: (tx: Transaction, server: Server) => Promise<boolean>): Promise<Server> {
    const { result } = await this.parts.changes.apply(async (tx) => {
      const before = await readServer(tx, asked.name);
      if (asked.revision !== null && asked.revision !== before.revision) throw new Refusal('precondition_failed', { revision: before.revision });
      const changed = await act(tx, before);
      // A server that was removed is told as it was.
      const after = (await readServers(tx)).find(({ id }) => id === before.id);
      return { result: after ?? before, changed };
    });
    this.note(asked.actor, result, event);
    return result;
  }

  private async freeName(tx: Transaction, { name, url }: ServerInput): Promise<string> {
    const rows = await tx.query<{ name: string }>('SELECT name FROM servers');
    const taken = new Set(rows.map((row) => row.name));
    if (name === null) return uniqueName(nameFromUrl(url), taken);
    if (taken.has(name)) throw new Refusal('conflict', { server: name });
    return name;
  }

  private async insert(tx: Transaction, name: string, input: ServerInput): Promise<void> {
    const { id, url, stateless, allowPrivateNetwork, caCertificate, identityMode, identityId, headers, secretHeaders } = input;
    const [headersJson, health] = [JSON.stringify(headers), JSON.stringify(UNKNOWN_HEALTH)];
    const now = this.parts.clock.now();
    await tx.query(INSERT, [id, name, url, stateless, allowPrivateNetwork, caCertificate, identityMode, identityId, headersJson, secretHeaders, health, now]);
  }

  private async setState(tx: Transaction, server: Server, state: Server['state']): Promise<boolean> {
    if (server.state === state) return false;
    await tx.query('UPDATE servers SET state = $2, revision = revision + 1 WHERE id = $1', [server.id, state]);
    await this.tell(tx, server.id, state === 'running' ? 'started' : 'stopped');
    return true;
  }

  private tell(tx: Transaction, serverId: string, event: policyContracts.ServerLine['event']): Promise<void> {
    return keepLine(tx, serverId, { at: this.parts.clock.now(), kind: 'state', event, detail: null });
  }

  private note({ callerId, tokenId }: Actor, { id, name, revision }: Server, event: string): void {
    this.parts.log.info({ actor: callerId, tokenId, serverId: id, server: name, revision }, event);
  }
}

/** An edge asks the vault for exactly the servers whose mode says so: a mismatch would lose the credential silently. */
function requireIdentity({ identityMode, identityId, secretHeaders }: ServerInput): void {
  if ((identityMode === 'global') !== (identityId !== null)) throw new Refusal('bad_params', { problem: 'identityMode and identityId do not agree' });
  if (secretHeaders.length > 0 && identityId === null) throw new Refusal('bad_params', { problem: 'secret headers need an identityId' });
}
