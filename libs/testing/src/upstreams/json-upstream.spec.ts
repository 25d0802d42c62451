import { describe, expect, it } from '@jest/globals';
import { startJsonUpstream } from './json-upstream.js';

const call = (headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"get_issue"}}',
});

describe('the small upstream', () => {
  it('answers a call with about 1.3 KiB of JSON', async () => {
    const upstream = await startJsonUpstream();
    const text = await (await fetch(upstream.url, call())).text();
    expect(text.length).toBeGreaterThan(1_280);
    expect(JSON.parse(text)).toMatchObject({ id: 'a', result: { content: [{ type: 'text' }] } });
    await upstream.close();
  });

  it('answers as an event stream when told', async () => {
    const upstream = await startJsonUpstream({ sse: true });
    const answer = await fetch(upstream.url, call());
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(await answer.text()).toMatch(/^event: message\ndata: \{.*\}\n\n$/);
    await upstream.close();
  });

  it('refuses without the required header, and counts without keeping when told', async () => {
    const upstream = await startJsonUpstream({ requiredHeader: { name: 'X-Api-Key', value: 'k' }, record: false });
    expect((await fetch(upstream.url, call())).status).toBe(401);
    expect((await fetch(upstream.url, call({ 'x-api-key': 'k' }))).status).toBe(200);
    expect([upstream.hits(), upstream.requests().length]).toEqual([2, 0]);
    await upstream.close();
  });
});
