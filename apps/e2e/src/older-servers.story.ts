import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startHttpSseUpstream, type HttpSseUpstream } from '@gatehouse/testing';
import { WireClient } from './wire/wire-client.js';
import { eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

inBothForms('A server of HTTP+SSE', (world) => {
  let upstream: HttpSseUpstream;

  beforeAll(async () => (upstream = await startHttpSseUpstream({ protocolVersion: '2024-11-05' })));
  afterAll(() => upstream.close());

  it('is found out by its probe, served by every edge in one session, and left with it', async () => {
    const shown = await registered(world(), { name: 'older', url: upstream.url });
    expect(shown.health).toMatchObject({ status: 'healthy', transport: 'sse', verdict: 'open', protocolVersion: '2024-11-05' });
    await servedEverywhere(world(), 'older');
    const client = new WireClient(world(), 'older');
    await client.initialize('2025-11-25');
    for (const edge of [0, 1]) {
      const answer = await eventually(async () => {
        const called = await client.call('echo', { text: `through ${edge}` }, { edge });
        return called.status === 200 ? called : undefined;
      });
      expect(JSON.stringify(answer.messages)).toContain(`through ${edge}`);
    }
    expect(await client.end()).toBe(200);
    await eventually(async () => (upstream.connections() === 0 ? true : undefined));
  });
});
