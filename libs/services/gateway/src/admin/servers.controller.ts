import { Body, Controller, Delete, Get, Headers, Inject, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, identityContracts, serverContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';
import { ServerLogs } from './server-logs.js';
import { ServerRegistration } from './server-registration.js';

const path = { name: PATH.server };
/** What those who keep its secrets refuse with. */
const SECRETS_REFUSED = [...new Set([...identityContracts.createIdentity.errors, ...identityContracts.putUpstreamSecret.errors])];
const { addServer, debugServer, getServer, listServerItems, listServers, patchServer, probeServer, removeServer, restartServer, server, startServer, stopServer } = serverContracts;

/** `/api/v1/servers`: the register of servers. */
@Controller('api/v1/servers')
export class ServersController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly registration: ServerRegistration,
    private readonly serverLogs: ServerLogs,
  ) {}

  @Get()
  @Needs('servers.read')
  @Operation({ summary: 'All servers', answer: api.serverPage })
  async list() {
    const { items } = await this.bus.request(listServers, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('servers.manage')
  @Operation({
    summary: 'Register a server; its secrets go to the vault: headers as an identity of the organisation',
    body: api.serverBody,
    answer: server,
    status: 201,
    errors: [...addServer.errors, ...SECRETS_REFUSED, 'not_found'],
  })
  async add(@Body() body: z.output<typeof api.serverBody>, @Req() request: AdminRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(await this.registration.add(body, actorOf(request)), reply);
  }

  @Get(':name')
  @Needs('servers.read')
  @Operation({ summary: 'One server', path, answer: server, errors: getServer.errors })
  async show(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(await this.bus.request(getServer, { name }), reply);
  }

  @Patch(':name')
  @Needs('servers.manage')
  @Operation({
    summary: 'Change a server: what is left out stays, what auth names is put in place of what was there',
    path,
    ifMatch: true,
    body: api.serverChange,
    answer: server,
    errors: [...patchServer.errors, ...SECRETS_REFUSED],
  })
  async change(@Param('name') name: string, @Body() body: z.output<typeof api.serverChange>, @Req() request: AdminRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const target = change(name, request, request.headers['if-match']);
    return tagged(await this.registration.change(target, body), reply);
  }

  @Get(':name/tools')
  @Needs('servers.read')
  @Operation({ summary: 'What a server offered when it was last probed', path, query: api.itemQuery, answer: api.itemPage, errors: listServerItems.errors })
  async items(@Param('name') name: string, @Query() { kind }: z.output<typeof api.itemQuery>) {
    const { items } = await this.bus.request(listServerItems, { name, kind });
    return { items, nextCursor: null };
  }

  @Get(':name/logs')
  @Needs('servers.read')
  @Operation({
    summary: 'Its own log: what was done with it, what probes found, and calls that failed there or were slow',
    path,
    query: api.logQuery,
    answer: api.logPage,
    errors: ['invalid_cursor'],
  })
  logs(@Param('name') name: string, @Query() query: z.output<typeof api.logQuery>) {
    return this.serverLogs.read(name, query);
  }

  @Post(':name/probe')
  @Needs('servers.manage')
  @Operation({ summary: 'Look at a server now', path, ifMatch: true, answer: server, errors: probeServer.errors })
  probe(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(probeServer, change(name, request, match));
  }

  @Post(':name/stop')
  @Needs('servers.manage')
  @Operation({ summary: 'Stop a server: its calls are refused', path, ifMatch: true, answer: server, errors: stopServer.errors })
  stop(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(stopServer, change(name, request, match));
  }

  @Post(':name/start')
  @Needs('servers.manage')
  @Operation({ summary: 'Start a stopped server', path, ifMatch: true, answer: server, errors: startServer.errors })
  start(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(startServer, change(name, request, match));
  }

  @Post(':name/restart')
  @Needs('servers.manage')
  @Operation({ summary: 'Restart a server: every edge forgets leases and connections, and it is looked at anew', path, ifMatch: true, answer: server, errors: restartServer.errors })
  restart(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(restartServer, change(name, request, match));
  }

  @Post(':name/debug')
  @Needs('servers.manage')
  @Operation({ summary: 'Log each hop of its calls with its time for some minutes, never bodies; 0 ends it', path, body: api.debugBody, answer: server, errors: debugServer.errors })
  debug(@Param('name') name: string, @Body() { minutes }: z.output<typeof api.debugBody>, @Req() request: AdminRequest) {
    return this.bus.request(debugServer, { actor: actorOf(request), name, minutes });
  }

  @Delete(':name')
  @Needs('servers.manage')
  @Operation({ summary: 'Remove a server; its identities and their secrets are destroyed', path, ifMatch: true, answer: NOTHING, errors: [...removeServer.errors, 'vault_unavailable'] })
  async remove(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string): Promise<void> {
    await this.registration.remove(change(name, request, match));
  }
}

function change(name: string, request: AdminRequest, match: string | undefined) {
  return { actor: actorOf(request), name, revision: revisionOf(match) };
}

function revisionOf(match: string | undefined): number | null {
  if (match === undefined) return null;
  const revision = /^"(\d{1,15})"$/.exec(match)?.[1];
  if (revision === undefined) throw new Refusal('precondition_failed');
  return Number(revision);
}

function tagged(server: serverContracts.Server, reply: FastifyReply): serverContracts.Server {
  void reply.header('etag', `"${server.revision}"`);
  return server;
}
