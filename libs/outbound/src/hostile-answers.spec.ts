import { afterAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { HOSTILE_ANSWERS, startHostileUpstream, type HostileAnswer } from '@gatehouse/testing';
import { Outbound } from './outbound.js';
import type { SmallAnswer } from './small-answer.js';

const outbound = new Outbound();
afterAll(() => outbound.close());

/** What HTTP itself must stop; what is wrong inside a well-formed answer is for the reader of messages. */
const STOPPED: Readonly<Record<string, string>> = {
  'E-27': '^upstream_(invalid|too_large)$',
  'E-28': '^upstream_too_large$',
  'E-29': '^upstream_too_large$',
  'E-31': '^upstream_(invalid|too_large)$',
};

async function callOnce({ url }: { url: string }, on: string): Promise<SmallAnswer | Refusal> {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: on, params: {} }));
  const headers = { 'content-type': 'application/json', 'x-api-key': 'canary' };
  const destination = outbound.destination(url, { allowPrivateNetwork: true });
  return destination
    .fetchSmall({ method: 'POST', headers, body, maxBytes: 256_000, timeoutMs: 2_000 })
    .catch((error: unknown) => (error instanceof Refusal ? error : Promise.reject(error)));
}

describe('a hostile answer', () => {
  it.each(HOSTILE_ANSWERS.map((hostile): [string, HostileAnswer] => [`${hostile.covers} ${hostile.name}`, hostile]))(
    'is bounded and asked for once: %s',
    async (_title, hostile) => {
      const upstream = await startHostileUpstream(hostile);
      const outcome = await callOnce(upstream, hostile.on);
      expect(upstream.hits()).toBe(1);
      await upstream.close();
      const pattern = hostile.outcome === 'cleaned' ? undefined : STOPPED[hostile.covers];
      if (pattern !== undefined) expect((outcome as Refusal).code).toMatch(new RegExp(pattern));
      if (hostile.covers === 'E-26') expect((outcome as SmallAnswer).status).toBeGreaterThanOrEqual(300);
    },
  );

  it('behind an honest one never answers the next request', async () => {
    const second = HOSTILE_ANSWERS.find(({ name }) => name === 'a second answer behind the first') as HostileAnswer;
    const upstream = await startHostileUpstream(second);
    for (let call = 0; call < 3; call += 1) {
      const outcome = await callOnce(upstream, 'tools/call');
      expect(outcome instanceof Refusal ? '' : outcome.body.toString()).not.toContain('forge');
    }
    await upstream.close();
  });
});
