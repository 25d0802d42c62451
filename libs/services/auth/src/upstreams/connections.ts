import { randomBytes } from 'node:crypto';
import type { upstreamContracts, vaultContracts } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { digestOf } from '../sign-in/bearer.js';
import type { ConnectTickets } from './connect-tickets.js';
import { connectionOfTicket, findConnection, goodConnection, insertConnection, type Connection } from './connection-rows.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What connects which account, for whom. */
export interface ConnectWish {
  personId: string;
  serverId: string;
  owner: vaultContracts.CredentialOwner;
  name: string | null;
  identityId: string | null;
  cause: 'asked' | 'call';
}

/** A link as it is handed out. */
export interface ConnectLink {
  id: string;
  url: string;
  expiresAt: number;
}

/** How a connection went, for who waits for it. */
export interface ConnectionState {
  id: string;
  state: Connection['state'] | 'expired';
  identityId: string | null;
  problem: string | null;
}

/** What `Connections` works with. */
export interface ConnectionsParts {
  db: Database;
  tickets: ConnectTickets;
  findUpstream: (server: string) => Promise<Upstream | null>;
  clock: Clock;
  publicOrigin: string;
}

/** How long a link can be used (ms). */
export const CONNECT_MS = 600_000;
/** A link is given again only while there is time to use it. */
const LEAST_MS = 60_000;

/** Links under which people connect accounts. */
export class Connections {
  constructor(private readonly parts: ConnectionsParts) {}

  /**
   * A link for one person, for ten minutes. A call that asks again gets the same one while it is good.
   * Refuses with `unknown_server`, with `conflict` where the server takes no such account, with
   * `bad_request` for a private account of somebody else, with `not_found` for a person who is not.
   */
  async start(wish: ConnectWish): Promise<ConnectLink> {
    const upstream = await this.parts.findUpstream(wish.serverId);
    if (upstream === null) throw new Refusal('unknown_server');
    refuseMisfit(wish, upstream);
    await this.refuseUnknown(wish);
    const again = wish.cause === 'call' ? await goodConnection(this.parts.db, wish, this.parts.clock.now() + LEAST_MS) : undefined;
    return this.linkTo(again ?? (await this.make(wish)));
  }

  /** How a connection went. Refuses with `not_found`, also for somebody else's. */
  async show(id: string, personId: string): Promise<ConnectionState> {
    const connection = await findConnection(this.parts.db, id);
    if (connection === undefined || connection.personId !== personId) throw new Refusal('not_found');
    const isOver = connection.state === 'waiting' && connection.expiresAt <= this.parts.clock.now();
    return { id, state: isOver ? 'expired' : connection.state, identityId: connection.madeIdentityId, problem: connection.problem };
  }

  /** The connection that a ticket is for, whatever has become of it. */
  ofTicket(ticket: string): Promise<Connection | undefined> {
    return connectionOfTicket(this.parts.db, digestOf(ticket));
  }

  private async make(wish: ConnectWish): Promise<Connection> {
    const { db, clock } = this.parts;
    const now = clock.now();
    const id = randomBytes(18).toString('base64url');
    const connection: Connection = { ...wish, id, state: 'waiting', problem: null, madeIdentityId: null, expiresAt: now + CONNECT_MS };
    await insertConnection(db, { ...connection, ticketHash: digestOf(await this.parts.tickets.of(id)) }, now);
    return connection;
  }

  private async linkTo({ id, expiresAt }: Connection): Promise<ConnectLink> {
    return { id, url: `${this.parts.publicOrigin}/connect/${await this.parts.tickets.of(id)}`, expiresAt };
  }

  private async refuseUnknown({ personId }: ConnectWish): Promise<void> {
    const rows = await this.parts.db.query(`SELECT 1 FROM people WHERE id = $1 AND status = 'active' AND kind = 'person'`, [personId]);
    if (rows.length === 0) throw new Refusal('not_found');
  }
}

// A private account belongs to who signs in with it: nobody makes one for somebody else.
function refuseMisfit({ personId, owner }: ConnectWish, upstream: Upstream): void {
  if (owner !== 'global' && owner !== personId) throw new Refusal('bad_request', { field: 'owner', problem: 'somebody else' });
  const reason = misfit(owner, upstream);
  if (reason !== undefined) throw new Refusal('conflict', { reason });
}

function misfit(owner: ConnectWish['owner'], { auth, identityMode, oauth: { grant = 'authorization_code' } }: Upstream): string | undefined {
  if (auth === 'none') return 'no_account_needed';
  if (auth === 'oauth' && grant !== 'authorization_code') return 'made_without_connecting';
  const isShared = owner === 'global';
  if (isShared && identityMode === 'private-required') return 'private_only';
  return !isShared && identityMode === 'global' ? 'shared_only' : undefined;
}
