import { serverLeg, startNats, type TestServer } from '@gatehouse/testing';
import { afterAll, beforeAll } from '@jest/globals';
import { describeBus } from '../bus.conformance.js';
import { natsBus } from './nats-bus.js';

serverLeg('nats-server', 'with a real nats-server', () => {
  let server: TestServer;
  beforeAll(async () => void (server = await startNats()));
  afterAll(() => server.stop());

  describeBus('nats', async () => (service, options) => natsBus({ url: server.url, service, ...options }));
});
