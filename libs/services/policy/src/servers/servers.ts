import type { Actor, serverContracts, upstreamContracts } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';
import { keepLine, readLines, type LinesWanted } from './server-lines.js';
import { nameFromUrl, uniqueName } from './server-name.js';
import { patchedSettings, type PatchedSettings, type ServerPatch } from './server-patch.js';
import { readItems, readServer, readServers, readUpstream, UNKNOWN_HEALTH } from './server-rows.js';
import { insertServer, keptCertificate, readSettings, requireSettings, writeSettings, type ServerInput } from './server-settings.js';

type Server = serverContracts.Server;

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

const RESTART = "UPDATE servers SET state = 'running', health = $2, restarts = restarts + 1, revision = revision + 1 WHERE id = $1";
const LOOK_AFRESH = 'UPDATE servers SET restarts = restarts + 1 WHERE id = $1';
const FORGET_FINDINGS = 'UPDATE servers SET health = $2, known_verdict = NULL WHERE id = $1';
const DEBUG = 'UPDATE servers SET debug_until = $2, revision = revision + 1 WHERE id = $1';
const MINUTE_MS = 60_000;

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
  async items(name: string, kind: string | null): Promise<serverContracts.ObservedItem[]> {
    const { id } = await this.get(name);
    return readItems(this.parts.db, id, kind);
  }

  /** Lines of a server's own log, oldest first; refuses with `unknown_server`. */
  async lines(name: string, wanted: LinesWanted): Promise<serverContracts.ServerLine[]> {
    const { id } = await this.get(name);
    return readLines(this.parts.db, id, wanted);
  }

  /** The slug of the endpoint by that name, or of the only one that runs; null when there is none, or more than one. */
  async endpoint(slug: string | null): Promise<string | null> {
    const rows = await this.parts.db.query<{ name: string }>("SELECT name FROM servers WHERE name = $1 OR ($1::text IS NULL AND state = 'running') LIMIT 2", [slug]);
    return rows.length === 1 ? rows[0]!.name : null;
  }

  /** A server as auth needs to know it, by id or name; null when there is none. */
  upstream(idOrName: string): Promise<upstreamContracts.UpstreamServer | null> {
    return readUpstream(this.parts.db, idOrName);
  }

  /** Registers a server and orders its first probe. Refuses with `conflict`, `url_refused`, `header_refused`, `certificate_refused`, `bad_params`. */
  async add(actor: Actor, asked: ServerInput): Promise<Server> {
    const now = this.parts.clock.now();
    const input = { ...asked, caCertificate: keptCertificate(asked.caCertificate, now) };
    requireSettings(input);
    const { result } = await this.parts.changes.apply(async (tx) => {
      const name = await this.freeName(tx, input);
      await insertServer(tx, input, { name, now });
      await this.tell(tx, input.id, 'registered');
      await this.parts.changes.orderProbe(tx, input.id);
      return { result: await readServer(tx, name), changed: true };
    });
    this.note(actor, result, 'server registered');
    return result;
  }

  /** Changes what is given; refuses like `add`, and like every change. The same settings again change nothing. */
  patch(change: ServerChange, { caCertificate, ...given }: ServerPatch): Promise<Server> {
    const patch = caCertificate === undefined ? given : { ...given, caCertificate: keptCertificate(caCertificate, this.parts.clock.now()) };
    return this.change(change, 'server changed', async (tx, server) => {
      const { id } = server;
      const patched = patchedSettings(await readSettings(tx, id), patch);
      requireSettings(patched.settings);
      if (patched.changed.length === 0) return false;
      await writeSettings(tx, id, patched.settings);
      await this.tell(tx, id, 'changed', patched.changed.join(', '));
      await this.lookAfter(tx, server, patched);
      return true;
    });
  }

  /** Has each hop of its calls logged for so many minutes; 0 ends it. Refuses with `unknown_server`. */
  debug(actor: Actor, name: string, minutes: number): Promise<Server> {
    const now = this.parts.clock.now();
    return this.change({ actor, name, revision: null }, 'server debug', async (tx, { id, debugUntil }) => {
      if (minutes === 0 && (debugUntil ?? 0) <= now) return false;
      await tx.query(DEBUG, [id, minutes === 0 ? null : now + minutes * MINUTE_MS]);
      await (minutes === 0 ? this.tell(tx, id, 'debug_off') : this.tell(tx, id, 'debug_on', `for ${minutes} min`));
      return true;
    });
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
      await this.parts.changes.orderProbe(tx, server.id);
      return changed;
    });
  }

  /**
   * Starts a server if it is stopped, has edges forget leases and connections, and orders a probe that finds out anew
   * how to sign in: until then its health is unknown, and what was found before applies.
   */
  restart(change: ServerChange): Promise<Server> {
    return this.change(change, 'server restarted', async (tx, { id, health }) => {
      await tx.query(RESTART, [id, JSON.stringify(unlooked(health))]);
      await this.tell(tx, id, 'restarted');
      await this.parts.changes.orderProbe(tx, id, { anew: true });
      return true;
    });
  }

  /** Orders a probe now. */
  probe(change: ServerChange): Promise<Server> {
    return this.change(change, 'server probe ordered', async (tx, { id }) => {
      await this.parts.changes.orderProbe(tx, id);
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

  /** Edges forget leases and connections made with the settings before, and look when they know the new ones. */
  private async lookAfter(tx: Transaction, { id, health, state }: Server, { isElsewhere, probe }: PatchedSettings): Promise<void> {
    if (probe === 'none') return;
    await tx.query(LOOK_AFRESH, [id]);
    if (isElsewhere) await tx.query(FORGET_FINDINGS, [id, JSON.stringify(UNKNOWN_HEALTH)]);
    else await tx.query('UPDATE servers SET health = $2 WHERE id = $1', [id, JSON.stringify(unlooked(health))]);
    if (state === 'running') await this.parts.changes.orderProbe(tx, id, { anew: probe === 'anew' });
  }

  private async setState(tx: Transaction, server: Server, state: Server['state']): Promise<boolean> {
    if (server.state === state) return false;
    await tx.query('UPDATE servers SET state = $2, revision = revision + 1 WHERE id = $1', [server.id, state]);
    await this.tell(tx, server.id, state === 'running' ? 'started' : 'stopped');
    return true;
  }

  private tell(tx: Transaction, serverId: string, event: serverContracts.ServerLine['event'], detail: string | null = null): Promise<void> {
    return keepLine(tx, serverId, { at: this.parts.clock.now(), kind: 'state', event, detail });
  }

  private note({ callerId, tokenId }: Actor, { id, name, revision }: Server, event: string): void {
    this.parts.log.info({ actor: callerId, tokenId, serverId: id, server: name, revision }, event);
  }
}

/** Health before the next look: how it is signed in to and spoken stays what it was found to be. */
function unlooked({ transport, steps, verdict, advice }: Server['health']): Server['health'] {
  return { ...UNKNOWN_HEALTH, transport, steps, verdict, advice };
}
