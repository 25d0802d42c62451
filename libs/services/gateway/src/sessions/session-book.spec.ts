import { afterEach, describe, expect, it } from '@jest/globals';
import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import type { AeadKey } from '@gatehouse/kernel';
import { TestClock } from '@gatehouse/testing';
import { eventually } from '../edge-stage.conformance.js';
import { newKey, NOW, sampleSession } from './sample-session.conformance.js';
import { SessionBook } from './session-book.js';
import { sealSession } from './session.js';

describe('SessionBook', () => {
  const closing: (() => Promise<void>)[] = [];
  const key = newKey('key_1');
  const clock = new TestClock(NOW);

  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });

  const book = async (broker: InProcessBroker, ephemeral: Ephemeral, keys: AeadKey[] = [key]): Promise<SessionBook> => {
    const bus: Bus = inProcessBus(broker, 'gateway');
    const made = new SessionBook(() => keys, ephemeral, bus, clock);
    await made.start();
    closing.push(() => made.close(), () => bus.close());
    return made;
  };

  it('opens an id of ours at any edge and knows it from then on', async () => {
    const edge = await book(new InProcessBroker(), memoryEphemeral());
    const id = sealSession(sampleSession(), [key]);
    expect(edge.known(id)).toBeUndefined();
    const session = await edge.open(id);
    expect(edge.known(id)).toBe(session);
    expect(await edge.open('forged')).toBeUndefined();
  });

  it('ends a session at every edge, and at those that start later', async () => {
    const [broker, store] = [new InProcessBroker(), memoryEphemeral()];
    const [here, there] = [await book(broker, store), await book(broker, store)];
    const id = sealSession(sampleSession(), [key]);
    const session = (await here.open(id))!;
    await there.open(id);
    await here.end(session);
    expect([here.known(id), await here.open(id)]).toEqual([undefined, undefined]);
    await eventually(() => there.known(id) === undefined);
    expect(await there.open(id)).toBeUndefined();
    expect(await (await book(new InProcessBroker(), store)).open(id)).toBeUndefined();
  });

  it('goes on without the store, and still ends what was ended here', async () => {
    const store = memoryEphemeral();
    const edge = await book(new InProcessBroker(), store);
    await store.close();
    const id = sealSession(sampleSession(), [key]);
    const session = await edge.open(id);
    expect(session).toBeDefined();
    await edge.end(session!);
    expect(await edge.open(id)).toBeUndefined();
  });

  it('forgets a session whose time is over', async () => {
    const edge = await book(new InProcessBroker(), memoryEphemeral());
    const id = sealSession(sampleSession({ expiresAt: NOW + 1_000 }), [key]);
    await edge.open(id);
    clock.advance(1_000);
    expect([edge.known(id), await edge.open(id)]).toEqual([undefined, undefined]);
    clock.setWall(NOW);
  });
});
