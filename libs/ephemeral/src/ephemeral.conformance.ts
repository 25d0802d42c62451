import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Ephemeral } from './ephemeral.js';

const MINUTE = 60_000;
const SHORT = 80;

/** What every adapter of the port must do; `open` gives an empty store. */
export function describeEphemeral(name: string, open: () => Promise<Ephemeral>): void {
  describe(`${name} as ephemeral state`, () => {
    let store: Ephemeral;
    beforeEach(async () => void (store = await open()));
    afterEach(() => store.close());

    describe('reading and writing', () => readingAndWriting(() => store));
    describe('expiry', () => expiry(() => store));
    describe('at once', () => atOnce(() => store));
    describe('closing', () => closing(() => store));
  });
}

function readingAndWriting(store: () => Ephemeral): void {
  it('gives back what was set and nothing for other keys', async () => {
    await store().set('a:1', 'naïve "text" \u0000 \u{1F512}', MINUTE);
    expect(await store().get('a:1')).toBe('naïve "text" \u0000 \u{1F512}');
    expect(await store().get('a:2')).toBeUndefined();
  });

  it('keeps the empty string apart from an absent key', async () => {
    await store().set('empty', '', MINUTE);
    expect(await store().get('empty')).toBe('');
    expect(await store().take('empty')).toBe('');
  });

  it('replaces value and lifetime', async () => {
    await store().set('k', 'old', SHORT);
    await store().set('k', 'new', MINUTE);
    await sleep(SHORT + 40);
    expect(await store().get('k')).toBe('new');
  });

  it('deletes, also what is not there', async () => {
    await store().set('k', 'v', MINUTE);
    await store().delete('k');
    await store().delete('k');
    expect(await store().get('k')).toBeUndefined();
  });
}

function expiry(store: () => Ephemeral): void {
  it('forgets an entry after its lifetime, for every way of reading', async () => {
    await store().set('read', 'v', SHORT);
    await store().set('taken', 'v', SHORT);
    await store().setIfAbsent('marked', 'v', SHORT);
    await sleep(SHORT + 40);
    expect(await store().get('read')).toBeUndefined();
    expect(await store().take('taken')).toBeUndefined();
    expect(await store().setIfAbsent('marked', 'again', MINUTE)).toBe(true);
  });

  it('treats a lifetime that ran out, or a fraction of a millisecond, as the shortest one', async () => {
    await store().set('gone', 'v', -5);
    await store().set('fraction', 'v', 0.4);
    await sleep(20);
    expect(await store().get('gone')).toBeUndefined();
    expect(await store().get('fraction')).toBeUndefined();
  });

  it('refuses a lifetime that is not a number', async () => {
    await expect(store().set('k', 'v', Number.NaN)).rejects.toMatchObject({ name: 'Fault' });
    await expect(store().setIfAbsent('k', 'v', Number.POSITIVE_INFINITY)).rejects.toMatchObject({ name: 'Fault' });
  });
}

function atOnce(store: () => Ephemeral): void {
  it('lets exactly one of many set an absent key and keeps that one\'s value', async () => {
    const tries = Array.from({ length: 20 }, (_, i) => store().setIfAbsent('once', String(i), MINUTE));
    const won = (await Promise.all(tries)).flatMap((yes, i) => (yes ? [String(i)] : []));
    expect(won).toHaveLength(1);
    expect(await store().get('once')).toBe(won[0]);
  });

  it('gives a value to exactly one of many that take it', async () => {
    await store().set('parked', 'v', MINUTE);
    const taken = await Promise.all(Array.from({ length: 20 }, () => store().take('parked')));
    expect(taken.filter((value) => value !== undefined)).toEqual(['v']);
    expect(await store().get('parked')).toBeUndefined();
  });
}

function closing(store: () => Ephemeral): void {
  it('is up while open; down and refusing once closed', async () => {
    expect(store().state()).toBe('up');
    await store().close();
    expect(store().state()).toBe('down');
    await expect(store().get('k')).rejects.toMatchObject({ code: 'service_unavailable' });
    await expect(store().set('k', 'v', MINUTE)).rejects.toMatchObject({ code: 'service_unavailable' });
    await expect(store().delete('k')).rejects.toMatchObject({ code: 'service_unavailable' });
  });
}
