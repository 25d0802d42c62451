import { expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestContract } from '@gatehouse/contracts';
import { z } from 'zod';
import type { Stage } from './bus.conformance.js';
import { echo, Lines, misbehave, ping, unserved } from './stage.conformance.js';

/** Asking and answering. */
export function describeRequests(stage: Stage): void {
  answering(stage);
  validating(stage);
  failing(stage);
  sharing(stage);
  leaving(stage);
}

function answering({ open, serve }: Stage): void {
  it('brings the question to the owner and the answer back, with defaults filled in', async () => {
    await serve(await open('audit'), 'a');
    const caller = await open('gateway');
    expect(await caller.request(echo, { text: 'héllo' })).toEqual({ text: 'héllo', by: 'a' });
    expect(await caller.request(echo, { text: 'ab', times: 2 })).toEqual({ text: 'abab', by: 'a' });
  });

  it('brings back an answer that is null', async () => {
    await serve(await open('audit'), 'a');
    expect(await (await open('gateway')).request(ping, {})).toBeNull();
  });

  it('carries 200 KiB both ways and many requests at once', async () => {
    await serve(await open('audit'), 'a');
    const caller = await open('gateway');
    const batch = 'x'.repeat(200 * 1024);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => caller.request(echo, { text: `${n}:${batch}` })));
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}:${batch}`));
  });
}

function validating({ open, serve }: Stage): void {
  it('refuses input that does not fit before sending, saying where but not what', async () => {
    const caller = await open('gateway');
    const asking = caller.request(echo, { text: 5, times: 'hunter2' } as never);
    await expect(asking).rejects.toMatchObject({
      code: 'bad_params',
      details: { problems: [{ path: 'text', problem: expect.any(String) }, { path: 'times', problem: expect.any(String) }] },
    });
    const refusal: unknown = await asking.catch((error: unknown) => error);
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });

  it('refuses at the owner what a caller with another idea of the contract sends', async () => {
    await serve(await open('audit'), 'a');
    const lax: RequestContract = { ...echo, request: z.unknown() };
    await expect((await open('gateway')).request(lax, { text: 5 })).rejects.toMatchObject({ name: 'Refusal', code: 'bad_params' });
  });

  it('turns a reply that does not fit into an internal error with the id of the log line', async () => {
    const lines = new Lines();
    await serve(await open('audit'), 'a', lines);
    const asking = (await open('gateway')).request(misbehave, { how: 'lie' });
    await expect(asking).rejects.toMatchObject({ name: 'Refusal', code: 'internal', details: { id: expect.stringMatching(/^flt_/) } });
    expect(lines.errors).toHaveLength(1);
  });

  it('is a fault when the reply does not fit what the caller expects', async () => {
    await serve(await open('audit'), 'a');
    const strict: RequestContract = { ...echo, reply: z.strictObject({ text: z.number() }) };
    await expect((await open('gateway')).request(strict, { text: 'a' })).rejects.toMatchObject({ name: 'Fault' });
  });

  it('is a fault to ask without being among the callers, and nothing is sent', async () => {
    await serve(await open('audit'), 'a');
    await expect((await open('vault')).request(echo, { text: 'a' })).rejects.toMatchObject({ name: 'Fault' });
  });
}

function failing({ open, serve }: Stage): void {
  it('brings a refusal to the caller with its code and details', async () => {
    const lines = new Lines();
    await serve(await open('audit'), 'a', lines);
    const asking = (await open('gateway')).request(misbehave, { how: 'refuse' });
    await expect(asking).rejects.toMatchObject({ name: 'Refusal', code: 'conflict', details: { name: 'taken', tries: 2 } });
    expect(lines.errors).toEqual([]);
  });

  it('tells the caller of a crash only the id of the one line that was logged', async () => {
    const lines = new Lines();
    await serve(await open('audit'), 'a', lines);
    const error: unknown = await (await open('gateway')).request(misbehave, { how: 'crash' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Refusal', code: 'internal', details: { id: expect.stringMatching(/^flt_/) } });
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(lines.errors).toEqual([expect.objectContaining({ id: (error as { details: { id: string } }).details.id, subject: misbehave.subject })]);
  });

  it('refuses with service_unavailable at once when nobody answers to the subject', async () => {
    const started = performance.now();
    await expect((await open('gateway')).request(unserved, {})).rejects.toMatchObject({ name: 'Refusal', code: 'service_unavailable' });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('refuses with service_timeout when the time of the contract is over', async () => {
    await serve(await open('audit'), 'a');
    const asking = (await open('gateway')).request({ ...misbehave, timeoutMs: 100 }, { how: 'hang' });
    await expect(asking).rejects.toMatchObject({ name: 'Refusal', code: 'service_timeout' });
  });

  it('refuses with too_large what is over 1 MiB, in both directions', async () => {
    await serve(await open('audit'), 'a');
    const caller = await open('gateway');
    await expect(caller.request(echo, { text: 'x'.repeat(1_100_000) })).rejects.toMatchObject({ code: 'too_large' });
    await expect(caller.request(misbehave, { how: 'flood' })).rejects.toMatchObject({ code: 'too_large' });
  });
}

function sharing({ open, serve }: Stage): void {
  it('shares requests between two instances of a service, each answered once', async () => {
    await serve(await open('audit'), 'a');
    await serve(await open('audit'), 'b');
    const caller = await open('gateway');
    const answers = await Promise.all(Array.from({ length: 60 }, () => caller.request(echo, { text: 'x' })));
    const byA = answers.filter(({ by }) => by === 'a').length;
    expect(byA).toBeGreaterThan(0);
    expect(byA).toBeLessThan(60);
  });
}

function leaving({ open, serve }: Stage): void {
  it('finishes a request it has taken before the instance leaves, and takes no other', async () => {
    const app = await serve(await open('audit'), 'a');
    const caller = await open('gateway');
    const lingering = caller.request(misbehave, { how: 'linger' });
    await sleep(100);
    await app.close();
    expect(await lingering).toEqual({ text: 'late' });
    await expect(caller.request(echo, { text: 'x' })).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it('refuses waiting and later requests with service_unavailable once the caller\'s bus is closed', async () => {
    await serve(await open('audit'), 'a');
    const caller = await open('gateway');
    expect(caller.state()).toBe('up');
    const waiting = caller.request(misbehave, { how: 'linger' });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'service_unavailable' });
    await sleep(50);
    await caller.close();
    await refused;
    expect(caller.state()).toBe('down');
    await expect(caller.request(echo, { text: 'x' })).rejects.toMatchObject({ code: 'service_unavailable' });
    await expect(caller.events.publishRaw('evt.v1.gateway.x.happened', {}, 'd')).rejects.toMatchObject({ code: 'service_unavailable' });
  });
}
