import { Serves } from '@gatehouse/bus';
import { policyContracts, serverContracts, type Actor, type upstreamContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { LinesWanted } from './server-lines.js';
import type { ServerPatch } from './server-patch.js';
import type { ServerInput } from './server-settings.js';
import { Servers, type ServerChange } from './servers.js';

type Server = serverContracts.Server;

/** Answers for the register of servers. */
@Controller()
export class ServerController {
  constructor(private readonly servers: Servers) {}

  /** Registers a server. */
  @Serves(serverContracts.addServer)
  add({ actor, server }: { actor: Actor; server: ServerInput }): Promise<Server> {
    return this.servers.add(actor, server);
  }

  /** All servers. */
  @Serves(serverContracts.listServers)
  async list(): Promise<{ items: Server[] }> {
    return { items: await this.servers.list() };
  }

  /** One server. */
  @Serves(serverContracts.getServer)
  get({ name }: { name: string }): Promise<Server> {
    return this.servers.get(name);
  }

  /** What a server offers. */
  @Serves(serverContracts.listServerItems)
  async items({ name, kind }: { name: string; kind: serverContracts.ObservedItem['kind'] | null }): Promise<{ items: serverContracts.ObservedItem[] }> {
    return { items: await this.servers.items(name, kind) };
  }

  /** Takes a server out. */
  @Serves(serverContracts.removeServer)
  remove(change: ServerChange): Promise<Server> {
    return this.servers.remove(change);
  }

  /** Stops a server. */
  @Serves(serverContracts.stopServer)
  stop(change: ServerChange): Promise<Server> {
    return this.servers.stop(change);
  }

  /** Starts a server. */
  @Serves(serverContracts.startServer)
  start(change: ServerChange): Promise<Server> {
    return this.servers.start(change);
  }

  /** Restarts a server. */
  @Serves(serverContracts.restartServer)
  restart(change: ServerChange): Promise<Server> {
    return this.servers.restart(change);
  }

  /** Changes what is given. */
  @Serves(serverContracts.patchServer)
  patch({ change, ...which }: ServerChange & { change: ServerPatch }): Promise<Server> {
    return this.servers.patch(which, change);
  }

  /** Logs each hop for a while. */
  @Serves(serverContracts.debugServer)
  debug({ actor, name, minutes }: { actor: Actor; name: string; minutes: number }): Promise<Server> {
    return this.servers.debug(actor, name, minutes);
  }

  /** A server as auth needs to know it. */
  @Serves(serverContracts.findUpstream)
  async upstream({ server }: { server: string }): Promise<{ upstream: upstreamContracts.UpstreamServer | null }> {
    return { upstream: await this.servers.upstream(server) };
  }

  /** Lines of its own log. */
  @Serves(serverContracts.listServerLines)
  async lines({ name, ...wanted }: LinesWanted & { name: string }): Promise<{ items: serverContracts.ServerLine[] }> {
    return { items: await this.servers.lines(name, wanted) };
  }

  /** Orders a probe. */
  @Serves(serverContracts.probeServer)
  probe(change: ServerChange): Promise<Server> {
    return this.servers.probe(change);
  }

  /** The endpoint by that name, or the only one. */
  @Serves(policyContracts.findEndpoint)
  async endpoint({ slug }: { slug: string | null }): Promise<{ slug: string | null }> {
    return { slug: await this.servers.endpoint(slug) };
  }
}
