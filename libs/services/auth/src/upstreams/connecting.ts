import type { Bus } from '@gatehouse/bus';
import type { Actor, upstreamContracts } from '@gatehouse/contracts';
import { newId, type Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import type { LoginSession } from '../sign-in/login-sessions.js';
import type { AccountSignIn, CallbackAnswer } from './account-sign-in.js';
import type { ConnectedAccounts } from './connected-accounts.js';
import { CONNECT_REFUSALS, ConnectRefusal } from './connect-refusal.js';
import { endConnection, type Connection } from './connection-rows.js';
import type { Connections } from './connections.js';
import { headerValue, sealLines, wantedHeaders } from './header-lines.js';
import { signInProblem } from './sign-in-problem.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What `Connecting` works with. */
export interface ConnectingParts {
  db: Database;
  bus: Bus;
  connections: Connections;
  signIn: AccountSignIn;
  accounts: ConnectedAccounts;
  findUpstream: (server: string) => Promise<Upstream | null>;
  /** What a server wants that nobody knows about yet. */
  methodOf: (upstream: Upstream) => Promise<'oauth' | 'headers' | 'none'>;
  clock: Clock;
}

/** An open link, for the person who may use it. */
export interface OpenConnection {
  connection: Connection;
  upstream: Upstream;
  method: 'oauth' | 'headers';
}

/** What a callback came to. */
export type Finished = { connection: Connection; upstream: Upstream } | { again: URL };

/** What people do on the connect pages. */
export class Connecting {
  constructor(private readonly parts: ConnectingParts) {}

  /** The link of a ticket, for its person alone, while it is good. Refuses with a `ConnectRefusal`. */
  async open(ticket: string, session: LoginSession): Promise<OpenConnection> {
    const connection = await this.parts.connections.ofTicket(ticket);
    if (connection === undefined) throw new ConnectRefusal('over');
    if (connection.personId !== session.personId) throw new ConnectRefusal('foreign');
    if (connection.state !== 'waiting' || connection.expiresAt <= this.parts.clock.now()) throw new ConnectRefusal('over');
    const upstream = await this.upstream(connection);
    const method = await this.parts.methodOf(upstream);
    if (method === 'none') throw new ConnectRefusal('no_account');
    return { connection, upstream, method };
  }

  /** Takes headers that a person typed in, in the order of `wantedHeaders`; false when one of them can be no header. */
  async takeHeaders({ connection, upstream }: OpenConnection, typed: readonly string[]): Promise<boolean> {
    const lines = wantedHeaders(upstream).map((wanted, at) => ({ name: wanted.name, value: headerValue(typed[at] ?? '', wanted) }));
    if (!lines.every((line): line is { name: string; value: string } => line.value !== undefined)) return false;
    const id = await this.ending(connection, () => this.storeHeaders(connection, upstream, lines));
    await endConnection(this.parts.db, connection.id, { state: 'connected', identityId: id });
    return true;
  }

  /** Takes the answer of an authorization server. Refuses with a `ConnectRefusal`; a link whose answer was no good is over. */
  async finish(answer: CallbackAnswer): Promise<Finished> {
    const attempt = await this.parts.signIn.take(answer);
    return this.ending(attempt, async () => {
      const upstream = await this.upstream(attempt);
      const outcome = await this.parts.signIn.finish(upstream, attempt, answer);
      if ('again' in outcome) return outcome;
      const { owner, name, identityId } = attempt;
      const { identity } = await this.kept(() => this.parts.accounts.connected({ upstream, owner, name, identityId, ...outcome, actor: actorOf(attempt) }));
      await endConnection(this.parts.db, attempt.id, { state: 'connected', identityId: identity.id });
      return { connection: attempt, upstream };
    });
  }

  private async upstream({ serverId }: Connection): Promise<Upstream> {
    const upstream = await this.parts.findUpstream(serverId);
    if (upstream === null) throw new ConnectRefusal('no_server');
    if (upstream.state === 'stopped') throw new ConnectRefusal('stopped');
    return upstream;
  }

  // Who waits for the connection elsewhere (a terminal) reads what the page says.
  private async ending<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const problem = signInProblem(error);
      const { title } = CONNECT_REFUSALS[problem instanceof ConnectRefusal ? problem.reason : 'trouble'];
      await endConnection(this.parts.db, connection.id, { state: 'failed', problem: `${title}.` });
      throw problem;
    }
  }

  private async kept<T>(store: () => Promise<T>): Promise<T> {
    try {
      return await store();
    } catch (error) {
      throw new ConnectRefusal('not_stored', { cause: error });
    }
  }

  private async storeHeaders(connection: Connection, upstream: Upstream, lines: readonly { name: string; value: string }[]): Promise<string> {
    const { owner, serverId, personId } = connection;
    const present = await this.replaced(connection, upstream);
    const identityId = present ?? newId('identity', this.parts.clock);
    const headers = await sealLines(this.parts.bus, identityId, lines);
    const actor = actorOf({ personId });
    const { identity } = await this.kept(() =>
      present === undefined
        ? this.parts.accounts.create({ actor, identityId, serverId, owner, name: connection.name ?? 'default', headers })
        : this.parts.accounts.replaceHeaders({ actor, identityId, ownedBy: null, headers }),
    );
    return identity.id;
  }

  /** The identity whose headers are replaced: the one named, or one of the same name. */
  private async replaced({ owner, name, identityId }: Connection, upstream: Upstream): Promise<string | undefined> {
    const mine = await this.parts.accounts.list({ owner, server: upstream.name });
    const usable = mine.filter((one) => one.method === 'headers' && one.status !== 'revoked');
    return usable.find((one) => (identityId === null ? one.name === (name ?? 'default') : one.id === identityId))?.id;
  }
}

function actorOf({ personId }: { personId: string }): Actor {
  return { callerId: personId, tokenId: null };
}
