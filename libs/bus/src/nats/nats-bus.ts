import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestContract, ServiceName } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { z } from 'zod';
import type { Bus, BusLog, BusOptions } from '../bus.js';
import { sendRequest } from '../send-request.js';
import { connectionOptions, type NatsAddress } from './connection-options.js';
import { ensureEventStream } from './event-stream.js';
import { NatsClient } from './nats-client.js';
import { NatsEvents } from './nats-events.js';
import { NatsServer } from './nats-server.js';

const START_LIMIT_MS = 30_000;
const RETRY_EVERY_MS = 500;

/** Where NATS is, and what every bus can be given. */
export interface NatsBusOptions extends NatsAddress, BusOptions {
  /** How long to wait for NATS to be there at the start; 30 seconds unless told. */
  startLimitMs?: number;
}

/**
 * The bus of one service instance over NATS: requests over Nest's own transport, events over
 * JetStream (nats-server 2.9 or later with `max_payload` of at least 1 MiB, its default).
 * Rejects with a Fault when NATS with JetStream is not reached within the limit or refuses the sign-in.
 */
export async function natsBus(options: NatsBusOptions): Promise<Bus> {
  const client = new NatsClient(connectionOptions(options), options.log);
  try {
    const manager = await reached(client, options);
    return new NatsBus(client, manager, options);
  } catch (error) {
    await client.close();
    throw new Fault('NATS with JetStream could not be reached', { cause: error });
  }
}

async function reached(client: NatsClient, options: NatsBusOptions): Promise<JetStreamManager> {
  const deadline = Date.now() + (options.startLimitMs ?? START_LIMIT_MS);
  for (;;) {
    try {
      return await connected(client);
    } catch (error) {
      if (Date.now() >= deadline || isSignInRefused(error)) throw error;
    }
    await sleep(RETRY_EVERY_MS);
  }
}

async function connected(client: NatsClient): Promise<JetStreamManager> {
  const connection = await client.connect();
  // Without the account check a service needs no permission on the account's own API.
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await ensureEventStream(manager);
  return manager;
}

function isSignInRefused(error: unknown): boolean {
  return error instanceof Error && error.name === 'AuthorizationError';
}

class NatsBus implements Bus {
  readonly events: NatsEvents;
  private readonly service: ServiceName;
  private readonly log: BusLog | undefined;
  private readonly servers: NatsServer[] = [];

  constructor(
    private readonly client: NatsClient,
    manager: JetStreamManager,
    private readonly options: NatsBusOptions,
  ) {
    this.service = options.service;
    this.log = options.log;
    this.events = new NatsEvents(manager, options.service, client, options);
  }

  request<C extends RequestContract>(contract: C, input: z.input<C['request']>): Promise<z.output<C['reply']>> {
    return sendRequest(this.client, this.service, contract, input);
  }

  strategy(): CustomTransportStrategy {
    const server = new NatsServer(connectionOptions(this.options), this.service, this.log);
    this.servers.push(server);
    return server;
  }

  state(): 'up' | 'down' {
    return [this.client, ...this.servers].every((part) => part.state() === 'up') ? 'up' : 'down';
  }

  async close(): Promise<void> {
    await this.events.close();
    await Promise.all(this.servers.map((server) => server.close()));
    await this.client.close();
  }
}
