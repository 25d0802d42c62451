import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { BusOptions, Poison } from './bus.js';
import type { Stage } from './bus.conformance.js';
import { MAX_DELIVERIES } from './delivery.js';
import { eventually, newEvent } from './stage.conformance.js';

const QUIET_MS = 150;
const SOON: BusOptions = { retryDelayMs: () => 20 };

/** Events that are work for one instance. */
export function describeConsuming(stage: Stage): void {
  competing(stage);
  redelivering(stage);
  poisoning(stage);
}

function competing({ open }: Stage): void {
  it('gives each event to one of the instances, and all take part', async () => {
    const event = newEvent();
    const done: { by: string; n: number }[] = [];
    for (const by of ['a', 'b']) {
      await (await open('audit')).events.consume(event, 'work', async ({ n }) => {
        await sleep(5);
        done.push({ by, n });
      });
    }
    const publisher = await open('policy');
    await Promise.all(Array.from({ length: 30 }, (_, n) => publisher.events.publish(event, { n }, `${event.subject}-${n}`)));
    await eventually(() => done.length === 30);
    await sleep(QUIET_MS);
    expect(done.map(({ n }) => n).sort((x, y) => x - y)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(new Set(done.map(({ by }) => by))).toEqual(new Set(['a', 'b']));
  });

  it('keeps durables apart: each purpose and each service gets every event', async () => {
    const event = newEvent();
    const done: string[] = [];
    const audit = await open('audit');
    await audit.events.consume(event, 'one', async () => void done.push('audit one'));
    await audit.events.consume(event, 'two', async () => void done.push('audit two'));
    await (await open('gateway')).events.consume(event, 'one', async () => void done.push('gateway one'));
    await (await open('policy')).events.publish(event, { n: 1 }, event.subject);
    await eventually(() => done.length === 3);
    expect(done.sort()).toEqual(['audit one', 'audit two', 'gateway one']);
  });

  it('delivers what was stored before the first instance came and while none was there', async () => {
    const event = newEvent();
    const publisher = await open('policy');
    await publisher.events.publish(event, { n: 1 }, `${event.subject}-1`);
    const done: number[] = [];
    const consume = async () => (await open('audit')).events.consume(event, 'work', async ({ n }) => void done.push(n));
    const first = await consume();
    await eventually(() => done.length === 1);
    await first.close();
    await publisher.events.publish(event, { n: 2 }, `${event.subject}-2`);
    await sleep(QUIET_MS);
    expect(done).toEqual([1]);
    await consume();
    await eventually(() => done.length === 2);
    expect(done).toEqual([1, 2]);
  });

  it('is a fault to consume without being among the consumers, or under a name with other characters', async () => {
    await expect((await open('vault')).events.consume(newEvent(), 'work', async () => undefined)).rejects.toMatchObject({ name: 'Fault' });
    await expect((await open('audit')).events.consume(newEvent(), 'a.b', async () => undefined)).rejects.toMatchObject({ name: 'Fault' });
  });
}

function redelivering({ open }: Stage): void {
  it('delivers again after a delay when the handler throws, while other events go on', async () => {
    const event = newEvent();
    const steps: string[] = [];
    let failures = 2;
    await (await open('audit', { retryDelayMs: () => 200 })).events.consume(event, 'work', async ({ n }) => {
      steps.push(`try ${n}`);
      if (n === 1 && failures-- > 0) throw new Error('not yet');
      steps.push(`done ${n}`);
    });
    const publisher = await open('policy');
    for (const n of [1, 2]) await publisher.events.publish(event, { n }, `${event.subject}-${n}`);
    await eventually(() => steps.includes('done 1'));
    expect(steps).toEqual(['try 1', 'try 2', 'done 2', 'try 1', 'try 1', 'done 1']);
  });

  it('lets another instance take over what one cannot do', async () => {
    const event = newEvent();
    const done: number[] = [];
    const broken = await open('audit', SOON);
    const subscription = await broken.events.consume(event, 'work', async () => Promise.reject(new Error('broken')));
    await (await open('policy')).events.publish(event, { n: 7 }, event.subject);
    await sleep(50);
    await subscription.close();
    await (await open('audit', SOON)).events.consume(event, 'work', async ({ n }) => void done.push(n));
    await eventually(() => done.length === 1);
    expect(done).toEqual([7]);
  });

  it('waits on closing for the running handler, whose event does not come again', async () => {
    const event = newEvent();
    const steps: string[] = [];
    const consumer = await open('audit', SOON);
    await consumer.events.consume(event, 'work', async () => {
      steps.push('begin');
      await sleep(150);
      steps.push('end');
    });
    await (await open('policy')).events.publish(event, { n: 1 }, event.subject);
    await eventually(() => steps.length === 1);
    await consumer.close();
    expect(steps).toEqual(['begin', 'end']);
    await (await open('audit', SOON)).events.consume(event, 'work', async () => void steps.push('again'));
    await sleep(QUIET_MS);
    expect(steps).toEqual(['begin', 'end']);
  });
}

function poisoning({ open }: Stage): void {
  it(`drops an event after ${MAX_DELIVERIES} deliveries, tells onPoison once and goes on`, async () => {
    const event = newEvent();
    const poisons: Poison[] = [];
    const tries: number[] = [];
    const consumer = await open('audit', { ...SOON, onPoison: (poison) => void poisons.push(poison) });
    await consumer.events.consume(event, 'work', async ({ n }) => {
      tries.push(n);
      if (n === 1) throw new Error('never');
    });
    const publisher = await open('policy');
    await publisher.events.publish(event, { n: 1 }, `${event.subject}-1`);
    await eventually(() => poisons.length > 0);
    await publisher.events.publish(event, { n: 2 }, `${event.subject}-2`);
    await eventually(() => tries.includes(2));
    expect(tries.filter((n) => n === 1)).toHaveLength(MAX_DELIVERIES);
    expect(poisons).toEqual([{ subject: event.subject, durable: 'work', deliveries: MAX_DELIVERIES, error: new Error('never') }]);
  });

  it('treats a payload that does not fit as a failure, never as input to the handler', async () => {
    const event = newEvent();
    const poisons: Poison[] = [];
    const seen: unknown[] = [];
    const consumer = await open('audit', { ...SOON, onPoison: (poison) => void poisons.push(poison) });
    await consumer.events.consume(event, 'work', async (payload) => void seen.push(payload));
    await (await open('policy')).events.publishRaw(event.subject, { n: 'one' }, event.subject);
    await eventually(() => poisons.length === 1);
    expect(seen).toEqual([]);
  });
}
