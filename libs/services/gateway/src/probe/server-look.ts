import type { Bus } from '@gatehouse/bus';
import type { serverContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Edge } from '../edge.js';
import type { DirectoryState } from '../snapshot/directory-state.js';
import type { EdgeServer } from '../snapshot/policy-state.js';
import { failureOfProbe } from './failure-class.js';
import { observeServer } from './observe-server.js';
import { asksForAccount, openProbe } from './open-probe.js';
import { headersWith, organisationAccount, plainHeaders, type ProbeAccount, type ProbeHeaders } from './probe-account.js';
import { findWayIn, NOTHING_TO_FIND, openDoor, type WayIn } from './way-in.js';

type Health = serverContracts.Server['health'];

/** What is to be looked at. */
export interface LookOrder {
  readonly server: EdgeServer;
  readonly identity: ProbeAccount | null;
  readonly anew: boolean;
}

/** What looking at a server needs. */
export interface LookWorld {
  bus: Bus;
  edge: Edge;
  outbound: Pick<Outbound, 'destination'>;
  /** The directory in force; the newest there is when asked `isAnew`. */
  directory: (isAnew?: boolean) => Promise<DirectoryState>;
}

/** What was seen. */
export interface Seen {
  health: Health;
  items: serverContracts.ObservedItem[];
}

const WAITING = 'Waiting for the first account.';
const ONLY_PRIVATE = 'Looked into only with an account of the organisation, or when somebody connects one.';

/**
 * One look at a server: as the account of the order, else as the organisation, else as nobody. A server
 * that asks nobody for an account is found out about and is not broken for it. Never throws.
 */
export class ServerLook {
  /** When it began: what a later look saw stands, whichever of the two is told first. */
  readonly #startedAt: number;

  constructor(
    private readonly world: LookWorld,
    private readonly order: LookOrder,
  ) {
    this.#startedAt = world.edge.clock.now();
  }

  /** Looks. */
  async seen(): Promise<Seen> {
    try {
      return await this.#seen();
    } catch (error) {
      return this.#failing(error, NOTHING_TO_FIND);
    }
  }

  async #seen(): Promise<Seen> {
    const { server, identity, anew } = this.order;
    if (server.destination instanceof Refusal) throw server.destination;
    const account = identity ?? organisationAccount(await this.world.directory(), server.entry.id);
    if (account === null) return this.#asNewcomer();
    return this.#inside(account, anew ? await this.#foundAnew() : NOTHING_TO_FIND);
  }

  // Where Gatehouse itself signs in, finding out about it has made the account. What is seen now must not be
  // less than what another look, ordered for the new account, may have told before this one does.
  async #asNewcomer(): Promise<Seen> {
    const seen = await this.#asNobody();
    if (seen.health.verdict !== 'sign_in') return seen;
    const account = organisationAccount(await this.world.directory(true), this.order.server.entry.id);
    return account === null ? seen : this.#inside(account, wayInOf(seen));
  }

  async #inside(account: ProbeAccount, wayIn: WayIn): Promise<Seen> {
    try {
      return this.#healthy(await this.#lookAs(account), wayIn);
    } catch (error) {
      return this.#failing(error, wayIn);
    }
  }

  async #asNobody(): Promise<Seen> {
    try {
      return this.#healthy(await this.#look(plainHeaders(this.order.server.entry)), openDoor(this.#url));
    } catch (error) {
      const asked = asksForAccount(error);
      if (asked === undefined) throw error;
      const wayIn = await findWayIn(this.order.server.entry.id, { url: this.#url, ...asked }, this.order.anew, this.world.bus);
      return wayIn.verdict === 'sign_in' ? this.#waiting(wayIn) : this.#failing(error, wayIn);
    }
  }

  // The server says how to sign in only to those who come without an account.
  async #foundAnew(): Promise<WayIn> {
    return wayInOf(await this.#asNobody().catch((error: unknown) => this.#failing(error, NOTHING_TO_FIND)));
  }

  // A refused credential may only be an old one: auth is asked for another, once.
  async #lookAs(account: ProbeAccount): Promise<Looked> {
    const headers = await this.#headers(account);
    try {
      return await this.#look(headers);
    } catch (error) {
      const asked = asksForAccount(error);
      if (asked === undefined || !(await this.#isRefreshed(account, headers, asked.challenge))) throw error;
      return this.#look(await this.#headers(account));
    }
  }

  async #isRefreshed({ id }: ProbeAccount, { version }: ProbeHeaders, challenge: string | null): Promise<boolean> {
    return (await this.world.edge.renewals.ask({ identityId: id, version, cause: 'refused', challenge })) === 'fresh';
  }

  #headers(account: ProbeAccount): Promise<ProbeHeaders> {
    return headersWith(account, this.order.server, this.#destination, this.world.edge);
  }

  async #look({ lines: headers }: ProbeHeaders): Promise<Looked> {
    const { server, anew } = this.order;
    const probe = await openProbe({ server: server.entry, destination: this.#destination, headers, outbound: this.world.outbound, anew });
    try {
      return { ...(await observeServer(probe)), transport: probe.transport };
    } finally {
      await probe.close();
    }
  }

  get #destination() {
    const { destination } = this.order.server;
    if (destination instanceof Refusal) throw destination;
    return destination;
  }

  get #url(): string {
    return this.order.server.entry.url;
  }

  #healthy({ session, items, transport }: Looked, wayIn: WayIn): Seen {
    const { protocolVersion, serverInfo } = session;
    return { health: { ...this.#blank(), status: 'healthy', protocolVersion, serverInfo, transport, ...wayIn }, items };
  }

  async #waiting(wayIn: WayIn): Promise<Seen> {
    const hasPrivate = (await this.world.directory()).identities.isAnyUsable(this.order.server.entry.id);
    return { health: { ...this.#blank(), status: 'unknown', detail: hasPrivate ? ONLY_PRIVATE : WAITING, ...wayIn }, items: [] };
  }

  #failing(error: unknown, wayIn: WayIn): Seen {
    return { health: { ...this.#blank(), status: 'failing', ...failureOfProbe(error), ...wayIn }, items: [] };
  }

  #blank(): Health {
    return { status: 'unknown', failure: null, detail: null, checkedAt: this.#startedAt, protocolVersion: null, serverInfo: null, transport: null, ...NOTHING_TO_FIND };
  }
}

function wayInOf({ health: { steps, verdict, advice } }: Seen): WayIn {
  return { steps, verdict, advice };
}

interface Looked {
  session: Awaited<ReturnType<typeof observeServer>>['session'];
  items: serverContracts.ObservedItem[];
  transport: 'streamable-http' | 'sse';
}
