import type { RequestContract, ServiceName } from '@gatehouse/contracts';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { z } from 'zod';
import type { Bus, BusOptions } from '../bus.js';
import { sendRequest } from '../send-request.js';
import type { InProcessBroker } from './in-process-broker.js';
import { InProcessClient } from './in-process-client.js';
import { InProcessEvents } from './in-process-events.js';
import { InProcessServer } from './in-process-server.js';

/** The bus of one service instance when all services share a process. */
export function inProcessBus(broker: InProcessBroker, service: ServiceName, options: BusOptions = {}): Bus {
  return new InProcessBus(broker, service, options);
}

class InProcessBus implements Bus {
  readonly events: InProcessEvents;
  private readonly client: InProcessClient;
  private readonly servers: InProcessServer[] = [];
  private closed = false;

  constructor(
    private readonly broker: InProcessBroker,
    private readonly service: ServiceName,
    options: BusOptions,
  ) {
    this.events = new InProcessEvents(broker.history, service, options);
    this.client = new InProcessClient(broker);
  }

  request<C extends RequestContract>(contract: C, input: z.input<C['request']>): Promise<z.output<C['reply']>> {
    return sendRequest(this.client, this.service, contract, input);
  }

  strategy(): CustomTransportStrategy {
    const server = new InProcessServer(this.broker, this.service);
    this.servers.push(server);
    return server;
  }

  state(): 'up' | 'down' {
    return this.closed ? 'down' : 'up';
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.events.close();
    await Promise.all(this.servers.map((server) => server.close()));
    this.client.close();
  }
}
