import { Refusal } from '@gatehouse/kernel';
import type { Destination, Outbound } from '@gatehouse/outbound';
import type { EdgeServer } from '../snapshot/policy-state.js';
import { EventsChannel } from './events-channel.js';
import { McpProbe } from './mcp-probe.js';
import { PostChannel } from './post-channel.js';
import type { ProbeChannel } from './probe-channel.js';

/** How to reach a server that is looked at. */
export interface ProbeWay {
  readonly server: EdgeServer['entry'];
  readonly destination: Destination;
  readonly headers: Readonly<Record<string, string>>;
  readonly outbound: Pick<Outbound, 'destination'>;
  /** Whatever it was known to speak is found out again. */
  readonly anew: boolean;
}

// 2025-03-26 basic/transports, backwards compatibility: these are the answers of a server that knows no POST there.
const KNOWS_NO_POST = new Set([400, 404, 405]);

/**
 * A probe with its session opened, over what the server speaks: streamable HTTP where it takes a POST,
 * else HTTP+SSE where a GET names an endpoint. Refuses as the server did to the first of them.
 */
export async function openProbe(way: ProbeWay): Promise<McpProbe> {
  const { transport, stateless } = way.server;
  if (transport === 'sse' && !way.anew) return opened(await eventsChannel(way));
  const isSettled = stateless || (transport === 'streamable-http' && !way.anew);
  try {
    return await opened(new PostChannel(way.destination, way.headers, stateless));
  } catch (error) {
    if (isSettled || !isRefusedWith(error, KNOWS_NO_POST)) throw error;
    return opened(await eventsChannelOr(error, way));
  }
}

const ASKS_WHO = new Set([401, 403]);

/** Whether a server refused because it wants to know who calls; with the status and what it said about it. */
export function asksForAccount(error: unknown): { status: number; challenge: string | null } | undefined {
  if (!isRefusedWith(error, ASKS_WHO)) return undefined;
  const { status, challenge } = error.details;
  return { status: Number(status), challenge: typeof challenge === 'string' ? challenge : null };
}

function isRefusedWith(error: unknown, statuses: ReadonlySet<number>): error is Refusal {
  return error instanceof Refusal && error.code === 'upstream_refused' && statuses.has(Number(error.details['status']));
}

async function opened(channel: ProbeChannel): Promise<McpProbe> {
  const probe = new McpProbe(channel);
  try {
    await probe.open();
    return probe;
  } catch (error) {
    await probe.close();
    throw error;
  }
}

function eventsChannel({ destination, outbound, server, headers }: ProbeWay): Promise<EventsChannel> {
  return EventsChannel.open(destination, (url) => outbound.destination(url, server), headers);
}

// A server that speaks neither is described by its answer to the newer one.
async function eventsChannelOr(first: unknown, way: ProbeWay): Promise<EventsChannel> {
  try {
    return await eventsChannel(way);
  } catch (error) {
    throw asksForAccount(error) === undefined && !isRejectedEndpoint(error) ? first : error;
  }
}

function isRejectedEndpoint(error: unknown): boolean {
  return error instanceof Refusal && error.details['reason'] === 'endpoint_origin';
}
