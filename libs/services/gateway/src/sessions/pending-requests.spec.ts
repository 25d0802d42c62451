import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryEphemeral, redisEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { serverLeg, startRedis, type TestServer } from '@gatehouse/testing';
import { PendingRequests } from './pending-requests.js';
import { newKey, opened } from './sample-session.conformance.js';

const key = newKey('key_1');

function suite(open: () => Promise<Ephemeral>): void {
  let stores: Ephemeral[];

  beforeAll(async () => {
    const one = await open();
    // Two edges see one store: in memory that is the same object.
    stores = [one, one];
  });

  afterAll(() => Promise.all(stores.map((store) => store.close())));

  it('gives the mark to exactly one answer, at whichever edge it arrives', async () => {
    const [asking, answering] = stores.map((store) => new PendingRequests(store)) as [PendingRequests, PendingRequests];
    const session = opened(key);
    await asking.asked(session, 7);
    const taken = await Promise.all([asking.take(session, 7), answering.take(session, 7), answering.take(session, 7)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await asking.take(session, 7)).toBe(false);
  });

  it('knows no request of another session, another id or another type of id (E-42)', async () => {
    const pending = new PendingRequests(stores[0]!);
    const [own, other] = [opened(key), opened(key)];
    await pending.asked(own, 7);
    expect(await pending.take(other, 7)).toBe(false);
    expect(await pending.take(own, '7')).toBe(false);
    expect(await pending.take(own, 8)).toBe(false);
    expect(await pending.take(own, 7)).toBe(true);
  });
}

describe('PendingRequests over memory', () => suite(async () => memoryEphemeral()));

serverLeg('redis-server', 'PendingRequests over Redis', () => {
  let redis: TestServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  suite(() => redisEphemeral({ url: redis.url }));
});

describe('PendingRequests without the store', () => {
  it('serves the edge that asked from its own memory, once', async () => {
    const store = memoryEphemeral();
    const [asking, elsewhere] = [new PendingRequests(store), new PendingRequests(store)];
    const session = opened(key);
    await store.close();
    await asking.asked(session, 7);
    expect(await elsewhere.take(session, 7)).toBe(false);
    expect(await asking.take(session, 7)).toBe(true);
    expect(await asking.take(session, 7)).toBe(false);
  });
});
