import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { Stage } from './bus.conformance.js';
import { eventually, newEvent } from './stage.conformance.js';

const QUIET_MS = 150;

/** Events that every instance hears. */
export function describeFollowing(stage: Stage): void {
  hearing(stage);
  publishing(stage);
}

function hearing({ open }: Stage): void {
  it('brings every event to every instance of every following service, in order, from now on', async () => {
    const event = newEvent();
    const publisher = await open('policy');
    await publisher.events.publish(event, { n: 0 }, `${event.subject}-0`);
    const heard: number[][] = [];
    for (const service of ['gateway', 'gateway', 'audit'] as const) {
      const mine: number[] = [];
      heard.push(mine);
      await (await open(service)).events.follow(event, ({ n }) => void mine.push(n));
    }
    for (const n of [1, 2, 3]) await publisher.events.publish(event, { n }, `${event.subject}-${n}`);
    await eventually(() => heard.every((mine) => mine.length === 3));
    await sleep(QUIET_MS);
    expect(heard).toEqual([[1, 2, 3], [1, 2, 3], [1, 2, 3]]);
  });

  it('hears one event at a time, and goes on after a handler that throws', async () => {
    const event = newEvent();
    const errors: object[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void errors.push(fields) };
    const steps: string[] = [];
    await (await open('gateway', { log })).events.follow(event, async ({ n }) => {
      steps.push(`begin ${n}`);
      await sleep(20);
      if (n === 1) throw new Error('follower trouble');
      steps.push(`end ${n}`);
    });
    const publisher = await open('policy');
    for (const n of [1, 2]) await publisher.events.publish(event, { n }, `${event.subject}-${n}`);
    await eventually(() => steps.includes('end 2'));
    expect(steps).toEqual(['begin 1', 'begin 2', 'end 2']);
    expect(errors).toEqual([expect.objectContaining({ subject: event.subject })]);
  });

  it('hears nothing more once closed, and closing waits for the running handler', async () => {
    const event = newEvent();
    const steps: string[] = [];
    const subscription = await (await open('gateway')).events.follow(event, async ({ n }) => {
      steps.push(`begin ${n}`);
      await sleep(100);
      steps.push(`end ${n}`);
    });
    const publisher = await open('policy');
    await publisher.events.publish(event, { n: 1 }, `${event.subject}-1`);
    await eventually(() => steps.length === 1);
    await subscription.close();
    await subscription.close();
    await publisher.events.publish(event, { n: 2 }, `${event.subject}-2`);
    await sleep(QUIET_MS);
    expect(steps).toEqual(['begin 1', 'end 1']);
  });

  it('is a fault to follow without being among the consumers', async () => {
    await expect((await open('vault')).events.follow(newEvent(), () => undefined)).rejects.toMatchObject({ name: 'Fault' });
  });
}

function publishing({ open }: Stage): void {
  it('stores one event for one dedup id, however often it is published', async () => {
    const event = newEvent();
    const heard: number[] = [];
    await (await open('gateway')).events.follow(event, ({ n }) => void heard.push(n));
    const [one, other] = [await open('policy'), await open('policy')];
    await one.events.publish(event, { n: 1 }, `${event.subject}-same`);
    await other.events.publish(event, { n: 1 }, `${event.subject}-same`);
    await one.events.publishRaw(event.subject, { n: 1 }, `${event.subject}-same`);
    await one.events.publish(event, { n: 2 }, `${event.subject}-other`);
    await eventually(() => heard.includes(2));
    expect(heard).toEqual([1, 2]);
  });

  it('is a fault to publish another service\'s event, a payload that does not fit, or outside the event root', async () => {
    const event = newEvent();
    await expect((await open('gateway')).events.publish(event, { n: 1 }, 'd')).rejects.toMatchObject({ name: 'Fault' });
    const { events } = await open('policy');
    await expect(events.publish(event, { n: 0.5 }, 'd')).rejects.toMatchObject({ name: 'Fault' });
    await expect(events.publishRaw('rpc.v1.audit.echo.ask', {}, 'd')).rejects.toMatchObject({ name: 'Fault' });
  });

  it('refuses with too_large an event over 1 MiB', async () => {
    const { events } = await open('policy');
    const publishing = events.publishRaw(newEvent().subject, 'x'.repeat(1_100_000), 'big');
    await expect(publishing).rejects.toMatchObject({ code: 'too_large' });
  });
}
