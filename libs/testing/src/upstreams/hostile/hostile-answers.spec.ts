import { describe, expect, it } from '@jest/globals';
import { HOSTILE_ANSWERS, startHostileUpstream } from './hostile-answers.js';

const post = (method: string, id: number): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({ jsonrpc: '2.0', id, method, params: {} }),
  signal: AbortSignal.timeout(5_000),
});

describe('hostile answers', () => {
  it('have names of their own and stand for every case', () => {
    const names = HOSTILE_ANSWERS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const cases = new Set(HOSTILE_ANSWERS.map(({ covers }) => covers));
    expect([...cases].sort()).toEqual(['E-24', 'E-26', 'E-27', 'E-28', 'E-29', 'E-30', 'E-31', 'E-32', 'E-33', 'E-39', 'E-40']);
  });

  it('leave every other method honest and are counted', async () => {
    const wrongId = HOSTILE_ANSWERS.find(({ name }) => name === 'an answer with another id');
    const upstream = await startHostileUpstream(wrongId as (typeof HOSTILE_ANSWERS)[number]);
    const list = (await (await fetch(upstream.url, post('tools/list', 1))).json()) as { id: number; result: { tools: unknown[] } };
    expect([list.id, list.result.tools.length]).toEqual([1, 5]);
    const call = (await (await fetch(upstream.url, post('tools/call', 2))).json()) as { id: number };
    expect(call.id).not.toBe(2);
    expect(upstream.calls('tools/call')).toHaveLength(1);
    await upstream.close();
  });

  it('stop pouring when the other side hangs up', async () => {
    const endless = HOSTILE_ANSWERS.find(({ name }) => name === 'comments without end');
    const upstream = await startHostileUpstream(endless as (typeof HOSTILE_ANSWERS)[number]);
    const answer = await fetch(upstream.url, post('tools/call', 1));
    const reader = answer.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await upstream.close();
    expect(upstream.hits()).toBe(1);
  });
});
