import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, policyContracts, serverName } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { FastifyReply } from 'fastify';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { parsed } from './parsed.js';
import { ServerRegistration } from './server-registration.js';

/** `/api/v1/servers`: the register of servers. */
@Controller('api/v1/servers')
export class ServersController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly registration: ServerRegistration,
  ) {}

  @Get()
  @Needs('servers.read')
  async list() {
    const { items } = await this.bus.request(policyContracts.listServers, {});
    return { items, nextCursor: null };
  }

  @Post()
  @Needs('servers.manage')
  async add(@Body() body: unknown, @Req() request: AdminRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(await this.registration.add(parsed(api.serverBody, body), actorOf(request)), reply);
  }

  @Get(':name')
  @Needs('servers.read')
  async show(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(await this.bus.request(policyContracts.getServer, { name: known(name) }), reply);
  }

  @Get(':name/tools')
  @Needs('servers.read')
  async items(@Param('name') name: string, @Query('kind') kind?: string) {
    const wanted = kind === undefined ? 'tool' : parsed(policyContracts.observedItem.shape.kind, kind);
    const { items } = await this.bus.request(policyContracts.listServerItems, { name: known(name), kind: wanted });
    return { items, nextCursor: null };
  }

  @Post(':name/probe')
  @HttpCode(200)
  @Needs('servers.manage')
  probe(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(policyContracts.probeServer, change(name, request, match));
  }

  @Post(':name/stop')
  @HttpCode(200)
  @Needs('servers.manage')
  stop(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(policyContracts.stopServer, change(name, request, match));
  }

  @Post(':name/start')
  @HttpCode(200)
  @Needs('servers.manage')
  start(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string) {
    return this.bus.request(policyContracts.startServer, change(name, request, match));
  }

  @Delete(':name')
  @HttpCode(204)
  @Needs('servers.manage')
  async remove(@Param('name') name: string, @Req() request: AdminRequest, @Headers('if-match') match?: string): Promise<void> {
    await this.registration.remove(change(name, request, match));
  }
}

function change(name: string, request: AdminRequest, match: string | undefined) {
  return { actor: actorOf(request), name: known(name), revision: revisionOf(match) };
}

// A name that cannot be one is nothing that exists, not a malformed request.
function known(name: string): string {
  const result = serverName.safeParse(name);
  if (!result.success) throw new Refusal('unknown_server');
  return result.data;
}

function revisionOf(match: string | undefined): number | null {
  if (match === undefined) return null;
  const revision = /^"(\d{1,15})"$/.exec(match)?.[1];
  if (revision === undefined) throw new Refusal('precondition_failed');
  return Number(revision);
}

function tagged(server: policyContracts.Server, reply: FastifyReply): policyContracts.Server {
  void reply.header('etag', `"${server.revision}"`);
  return server;
}
