import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { newId, Refusal } from '@gatehouse/kernel';
import { answerHonestly, startHttpSseUpstream, startJsonUpstream, startRecordingServer, startRawUpstream, type Upstream } from '@gatehouse/testing';
import type { z } from 'zod';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

type Observation = z.output<typeof serverContracts.toolsObserved.payload>;
type Order = z.input<typeof serverContracts.probeOrdered.payload>;

const KEY = { name: 'authorization', value: 'Bearer the-fresh-token' };
const CALLBACK = 'https://gatehouse.example/oauth/callback';
const SIGN_IN = {
  verdict: 'sign_in' as const,
  steps: [{ step: 'resource_metadata' as const, outcome: 'ok' as const, url: 'https://x.example/.well-known/oauth-protected-resource', detail: 'It names one authorization server.' }],
  callbackUrl: CALLBACK,
  advice: 'Connect an account.',
};

describe('a probe of a server that may want an account', () => {
  const neighbours = new Neighbours();
  const policy = neighbours.bus('policy');
  const seen: Observation[] = [];
  const closing: Upstream[] = [];
  let stage: EdgeStage;
  let probes = 0;

  beforeAll(async () => {
    await neighbours.serve();
    await policy.events.consume(serverContracts.toolsObserved, 'policy-observations', async (observation) => void seen.push(observation));
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  beforeEach(() => {
    neighbours.discoveries.length = 0;
    neighbours.renewals.length = 0;
    neighbours.discover = () => SIGN_IN;
    neighbours.renew = () => ({ outcome: 'unchanged', reason: null });
  });

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await Promise.all(closing.map((upstream) => upstream.close()));
  });

  const looked = async (serverId: string, more: Partial<Order> = {}): Promise<Observation> => {
    const probeId = `probe-${(probes += 1)}`;
    await policy.events.publish(serverContracts.probeOrdered, { serverId, probeId, ...more }, probeId);
    await eventually(() => seen.some((each) => each.probeId === probeId), 15_000);
    return seen.find((each) => each.probeId === probeId)!;
  };
  const opened = async <U extends Upstream>(starting: Promise<U>): Promise<U> => {
    const upstream = await starting;
    closing.push(upstream);
    return upstream;
  };
  const server = async (upstream: Upstream, transport: 'auto' | 'streamable-http' | 'sse' = 'auto') => {
    const added = neighbours.addServer(`server-${probes}-${neighbours.servers.length}`, upstream.url);
    added.transport = transport;
    await stage.changed();
    return added;
  };

  it('dates what it saw by when it began, so that a slow look never stands over a later one', async () => {
    const upstream = await opened(startRawUpstream(({ rpc, response }) => void setTimeout(() => answerHonestly(rpc, response), 250), { methods: ['initialize'] }));
    const { id } = await server(upstream);
    const ordered = Date.now();
    const { health } = await looked(id);
    expect(health.checkedAt! - ordered).toBeLessThan((Date.now() - ordered) / 2);
  });

  it('says that it wants none', async () => {
    const upstream = await opened(startJsonUpstream());
    const { health, items } = await looked((await server(upstream)).id);
    expect(health).toMatchObject({ status: 'healthy', verdict: 'open', transport: 'streamable-http', advice: null, steps: [{ step: 'request', outcome: 'ok', url: upstream.url }] });
    expect(items.length).toBeGreaterThan(0);
    expect(neighbours.discoveries).toEqual([]);
  });

  it('finds out how to sign in, and does not call it broken before anybody did', async () => {
    const { id } = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    const { health } = await looked(id, { anew: true });
    expect(health).toMatchObject({ status: 'unknown', failure: null, detail: 'Waiting for the first account.', verdict: 'sign_in', advice: 'Connect an account.' });
    expect(health.steps.map(({ step, detail }) => [step, detail])).toEqual([
      ['request', 'The server answered 401 and asks for an account.'],
      ['resource_metadata', 'It names one authorization server.'],
    ]);
    expect(neighbours.discoveries).toEqual([{ serverId: id, challenge: 'ApiKey', anew: true }]);
  });

  it('looks into it at once where finding out has made the organisation’s account', async () => {
    const added = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    neighbours.discover = () => {
      neighbours.addIdentity(added, 'global', { name: 'default' }, [[KEY.name, KEY.value]]);
      return SIGN_IN;
    };
    const { health, items } = await looked(added.id);
    expect(health).toMatchObject({ status: 'healthy', verdict: 'sign_in' });
    expect(items.length).toBeGreaterThan(0);
  });

  it('says where to register a client, with the address to enter there', async () => {
    neighbours.discover = () => ({ ...SIGN_IN, verdict: 'client', advice: 'Register a client there.' });
    const { health } = await looked((await server(await opened(startJsonUpstream({ requiredHeader: KEY })))).id);
    expect(health).toMatchObject({ status: 'failing', failure: 'unauthenticated', verdict: 'client', advice: `Register a client there. Callback address: ${CALLBACK}` });
  });

  it('tells of a discovery that broke, and of one that could not be asked for', async () => {
    const { id } = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    neighbours.discover = () => ({ ...SIGN_IN, verdict: 'failed', advice: null });
    expect((await looked(id)).health).toMatchObject({ status: 'failing', failure: 'unauthenticated', verdict: 'failed' });
    neighbours.discover = () => {
      throw new Refusal('unknown_server');
    };
    const { health } = await looked(id);
    expect(health).toMatchObject({ status: 'failing', verdict: 'failed', steps: [{ step: 'request', outcome: 'ok' }, { step: 'resource_metadata', outcome: 'failed' }] });
  });

  it('cuts what a server says about signing in', async () => {
    const upstream = await opened(startRawUpstream(({ response }) => void response.writeHead(403, { 'www-authenticate': `Bearer realm="${'x'.repeat(6_000)}"` }).end(), { methods: ['initialize'] }));
    expect((await looked((await server(upstream)).id)).health.status).toBe('unknown');
    expect(neighbours.discoveries[0]!.challenge).toHaveLength(4_096);
  });

  it('looks as the organisation when it has an account, and keeps what was found before', async () => {
    const added = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    neighbours.addIdentity(added, 'global', {}, [['Authorization', KEY.value]]);
    await stage.changed();
    const { health } = await looked(added.id);
    expect(health).toMatchObject({ status: 'healthy', verdict: null, steps: [], advice: null });
    expect(neighbours.discoveries).toEqual([]);
  });

  it('looks as the one whose account was just connected, and tells the way in anew when asked', async () => {
    const added = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    const owner = neighbours.addCaller('ada');
    const { id } = neighbours.addIdentity(added, owner, {}, [['Authorization', KEY.value]]);
    const first = await looked(added.id, { identity: { id, owner } });
    expect([first.health.status, first.health.verdict]).toEqual(['healthy', null]);
    const second = await looked(added.id, { identity: { id, owner }, anew: true });
    expect([second.health.status, second.health.verdict]).toEqual(['healthy', 'sign_in']);
    await stage.changed();
    expect((await looked(added.id)).health).toMatchObject({ status: 'unknown', detail: expect.stringContaining('account of the organisation') });
  });

  it('has a refused credential renewed once, then looks again', async () => {
    const added = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    const { id } = neighbours.addIdentity(added, 'global', {}, [['Authorization', 'Bearer the-old-token']]);
    await stage.changed();
    neighbours.renew = () => {
      neighbours.credentials.set(id, [['Authorization', KEY.value]]);
      return { outcome: 'fresh', reason: null };
    };
    expect((await looked(added.id)).health.status).toBe('healthy');
    expect(neighbours.renewals).toEqual([{ identityId: id, version: 1, cause: 'refused', challenge: 'ApiKey' }]);
  });

  it.each(['unchanged', 'dead'] as const)('says that a credential is not accepted when it cannot be renewed (%s)', async (outcome) => {
    const added = await server(await opened(startJsonUpstream({ requiredHeader: KEY })));
    neighbours.addIdentity(added, 'global', {}, [['Authorization', 'Bearer the-old-token']]);
    await stage.changed();
    neighbours.renew = () => ({ outcome, reason: null });
    expect((await looked(added.id)).health).toMatchObject({ status: 'failing', failure: 'unauthenticated', verdict: null });
    expect(neighbours.renewals).toHaveLength(1);
  });

  it('finds a server of HTTP+SSE, of the first revision too', async () => {
    for (const protocolVersion of ['2025-11-25', '2024-11-05']) {
      const upstream = await opened(startHttpSseUpstream({ protocolVersion }));
      const { health, items } = await looked((await server(upstream)).id);
      expect(health).toMatchObject({ status: 'healthy', transport: 'sse', protocolVersion, verdict: 'open', serverInfo: { name: 'http-sse-upstream' } });
      expect(items.map(({ name }) => name)).toContain('echo');
      await eventually(() => upstream.connections() === 0);
    }
  });

  it('does not post to a server that is known to be of HTTP+SSE, until it is to be found out anew', async () => {
    const upstream = await opened(startHttpSseUpstream());
    const { id } = await server(upstream, 'sse');
    expect((await looked(id)).health.transport).toBe('sse');
    expect(upstream.requests()[0]?.method).toBe('GET');
    upstream.forget();
    expect((await looked(id, { anew: true })).health.transport).toBe('sse');
    expect(upstream.requests()[0]?.method).toBe('POST');
  });

  it('finds the way in of a server of HTTP+SSE', async () => {
    const upstream = await opened(startRecordingServer(({ method }, response) => void response.writeHead(method === 'GET' ? 401 : 405, { 'www-authenticate': 'Bearer' }).end()));
    expect((await looked((await server(upstream)).id)).health).toMatchObject({ status: 'unknown', verdict: 'sign_in', transport: null });
    expect(neighbours.discoveries[0]!.challenge).toBe('Bearer');
  });

  it('says of a server that speaks neither what it answered to the newer', async () => {
    const upstream = await opened(startRecordingServer((_recorded, response) => void response.writeHead(404).end()));
    expect((await looked((await server(upstream)).id)).health).toMatchObject({ status: 'failing', failure: 'not_mcp', transport: null, verdict: null });
  });

  it('asks a server that takes POST alone by nothing else', async () => {
    const upstream = await opened(startRecordingServer((_recorded, response) => void response.writeHead(405).end()));
    const added = await server(upstream);
    added.stateless = true;
    neighbours.policyVersion += 1;
    await stage.changed();
    await looked(added.id, { anew: true });
    expect(new Set(upstream.requests().map(({ method }) => method))).toEqual(new Set(['POST']));
  });

  it('passes over a server that is gone', async () => {
    const probeId = 'probe-of-none';
    await policy.events.publish(serverContracts.probeOrdered, { serverId: newId('server'), probeId }, probeId);
    await looked((await server(await opened(startJsonUpstream()))).id);
    expect(seen.some((each) => each.probeId === probeId)).toBe(false);
  });
});
