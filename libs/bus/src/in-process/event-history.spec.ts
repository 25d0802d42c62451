import { TestClock } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';
import { EventHistory } from './event-history.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function stored(history: EventHistory, subject: string): Promise<string[]> {
  const texts: string[] = [];
  const leave = history.durable('reader', subject).join(async ({ text }) => {
    texts.push(text);
    return { kind: 'done' };
  });
  for (let turn = 0; turn < 100_000 && texts.length < 20_000; turn += 1) await Promise.resolve();
  await leave();
  return texts;
}

describe('the event history of a process', () => {
  it('keeps events for 24 hours', async () => {
    const clock = new TestClock();
    const history = new EventHistory(clock);
    history.append('evt.a', '1', 'd1');
    clock.advance(23 * HOUR);
    history.append('evt.a', '2', 'd2');
    history.append('evt.b', 'other', 'd3');
    clock.advance(2 * HOUR);
    expect(await stored(history, 'evt.a')).toEqual(['2']);
  });

  it('keeps 10 000 events, the newest', async () => {
    const history = new EventHistory(new TestClock());
    for (let n = 0; n < 10_500; n += 1) history.append('evt.a', String(n), `d${n}`);
    const texts = await stored(history, 'evt.a');
    expect([texts.length, texts[0], texts.at(-1)]).toEqual([10_000, '500', '10499']);
  });

  it('knows a dedup id for ten minutes', () => {
    const clock = new TestClock();
    const history = new EventHistory(clock);
    const heard: string[] = [];
    history.follow('evt.a', (text) => void heard.push(text));
    history.append('evt.a', '1', 'same');
    clock.advance(9 * MINUTE);
    history.append('evt.a', '2', 'same');
    clock.advance(2 * MINUTE);
    history.append('evt.a', '3', 'same');
    expect(heard).toEqual(['1', '3']);
  });
});
