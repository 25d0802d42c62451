import { api, serverContracts } from '@gatehouse/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { path, type AdminApi } from './admin-api.js';
import { PROBE_ADVICE } from './next-steps.js';

/** How long a probe is waited for. */
export const PROBE_LIMIT_MS = 10_000;
const POLL_MS = 200;
const MOST_NAMES = 12;

type Server = serverContracts.Server;

/** The server once a probe newer than `since` (its last `checkedAt`) has ended, or as it is when none ends in time. */
export async function afterProbe(admin: AdminApi, name: string, since: number | null, limitMs = PROBE_LIMIT_MS): Promise<Server> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const server = await admin.ask({ path: `/servers${path(name)}`, answer: serverContracts.server });
    if (probed(server, since) || performance.now() >= deadline) return server;
    await sleep(POLL_MS);
  }
}

/** With its credential a server is looked at once more, a moment after it was without. */
const SECOND_LOOK_MS = 3_000;

/** The same where a credential was given: it becomes known just after the server, so that the first look may be without it. */
export async function afterProbeWith(admin: AdminApi, name: string, since: number | null, auth: Given | undefined): Promise<Server> {
  const first = await afterProbe(admin, name, since);
  return hasCredential(auth) && first.health.status !== 'healthy' ? afterProbe(admin, name, first.health.checkedAt, SECOND_LOOK_MS) : first;
}

type Given = z.output<typeof api.serverBody>['auth'];

function hasCredential(auth: Given | undefined): boolean {
  return bringsValues(auth) || (auth?.kind === 'oauth' && auth.grant === 'client_credentials');
}

/** Whether values of secret headers are given: a look at the server follows, even where nothing else changed. */
export function bringsValues(auth: Given | undefined): boolean {
  return auth?.kind === 'headers' && auth.headers.some(({ secret, value }) => secret && value !== undefined);
}

/** True when a probe ended after `since`. */
export function probed(server: Server, since: number | null): boolean {
  return server.health.checkedAt !== null && server.health.checkedAt !== since;
}

/** What a probe found, in one line. */
export function healthText({ health }: Server): string {
  if (health.status === 'unknown') return health.checkedAt === null ? 'not probed yet' : `waiting${health.detail === null ? '' : `: ${health.detail}`}`;
  if (health.status === 'failing') return `failing (${health.failure ?? 'unknown'})${health.detail === null ? '' : `: ${health.detail}`}`;
  const info = health.serverInfo === null ? '' : `, ${health.serverInfo.name} ${health.serverInfo.version}`;
  return `healthy (MCP ${health.protocolVersion ?? '?'}${info})`;
}

/** What to do about a failing server, or undefined. */
export function adviceFor({ health, name }: Server): string | undefined {
  if (health.status === 'unknown' && health.checkedAt === null) return `the probe is still running: gatehouse server show ${name}`;
  return health.status === 'failing' && health.failure !== null ? PROBE_ADVICE[health.failure].replaceAll('NAME', name) : undefined;
}

/** The tools a healthy server offers, as one line of names. */
export async function toolNames(admin: AdminApi, server: Server): Promise<string> {
  if (server.tools === 0) return 'none';
  const { items } = await admin.ask({ path: `/servers${path(server.name)}/tools`, query: { kind: 'tool' }, answer: api.itemPage });
  const names = items.slice(0, MOST_NAMES).map((item) => item.name);
  const more = server.tools - names.length;
  return `${server.tools}: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
