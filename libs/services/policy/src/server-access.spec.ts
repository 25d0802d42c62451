import { inProcessBus, type Bus } from '@gatehouse/bus';
import { identityContracts, serverContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { ACTOR, add, broker, clock, fetchSnapshot, gateway, observe, onPolicyStage, orders, refusal, startReplica, toolItem, until } from './policy-stage.conformance.js';

onPolicyStage();

type Change = z.input<typeof serverContracts.patchServer.request>['change'];

let auth: Bus;
beforeEach(() => {
  auth = inProcessBus(broker, 'auth');
});
afterEach(() => auth.close());

const get = (name: string) => gateway.request(serverContracts.getServer, { name });
const patch = (name: string, change: Change, revision: number | null = null) => gateway.request(serverContracts.patchServer, { actor: ACTOR, name, revision, change });
const upstream = async (server: string) => (await auth.request(serverContracts.findUpstream, { server })).upstream;
const lines = async (name: string, of = 'state') => (await gateway.request(serverContracts.listServerLines, { name, since: 0, after: null, limit: 100 })).items.filter(({ kind }) => kind === of).map(({ event, detail }) => [event, detail]);
const step = (outcome: 'ok' | 'failed') => ({ step: 'resource_metadata' as const, outcome, url: 'https://mcp.example.com/', detail: 'Looked.' });
const SIGN_IN = { steps: [step('ok')], verdict: 'sign_in', advice: 'Connect an account.', transport: 'streamable-http' };

async function seen(server: { id: string; name: string }, health: object, items: ReturnType<typeof toolItem>[] = []): Promise<serverContracts.Server> {
  clock.advance(1_000);
  const now = clock.now();
  await observe(server.id, { health, items, probeId: `p${now}` });
  return until(async () => {
    const found = await get(server.name);
    return found.health.checkedAt === now ? found : undefined;
  });
}

const REFUSED: [Parameters<typeof add>[0], string, object][] = [
  [{ secretHeaders: ['X-Key'], auth: 'none' }, 'bad_params', {}],
  [{ secretHeaders: ['X-Key'], auth: 'oauth' }, 'bad_params', {}],
  [{ secretHeaders: ['X-Key'], identityMode: 'none' }, 'bad_params', {}],
  [{ auth: 'none', identityMode: 'global' }, 'bad_params', {}],
  [{ auth: 'oauth', oauth: { grant: 'client_credentials' }, identityMode: 'private-required' }, 'bad_params', {}],
  [{ auth: 'oauth', oauth: { grant: 'token_exchange' }, identityMode: 'global' }, 'bad_params', {}],
  [{ forwardHeaders: ['Authorization'] }, 'header_refused', { header: 'Authorization', reason: 'reserved' }],
  [{ forwardHeaders: ['DPoP'] }, 'header_refused', { header: 'DPoP', reason: 'reserved' }],
  [{ forwardHeaders: ['cookie'] }, 'header_refused', { header: 'cookie', reason: 'reserved' }],
  [{ forwardHeaders: ['X-A'], headers: [['x-a', '1']] }, 'header_refused', { header: 'X-A', reason: 'given_twice' }],
  [{ headers: [['Gatehouse-Call', 'x']] }, 'header_refused', { header: 'Gatehouse-Call', reason: 'reserved' }],
  [{ oauth: { issuer: 'http://as.example.com' } }, 'url_refused', { reason: 'scheme', member: 'issuer' }],
  [{ oauth: { tokenUrl: 'https://user@as.example.com/token' } }, 'url_refused', { reason: 'userinfo', member: 'tokenUrl' }],
  [{ oauth: { authorizeUrl: 'https://as.example.com/#x' } }, 'url_refused', { reason: 'fragment', member: 'authorizeUrl' }],
  [{ oauth: { tokenUrl: 'https://0x7f.1/token' } }, 'url_refused', { reason: 'private_address', member: 'tokenUrl' }],
  [{ oauth: { tokenUrl: 'https://[::ffff:10.0.0.1]/token' } }, 'url_refused', { reason: 'private_address', member: 'tokenUrl' }],
  [{ oauth: { tokenUrl: 'https://[fd00::1]/token' } }, 'url_refused', { reason: 'private_address', member: 'tokenUrl' }],
  [{ oauth: { issuer: 'https://LOCALHOST./' } }, 'url_refused', { reason: 'private_address', member: 'issuer' }],
];

describe('how a server is signed in to', () => {
  it('follows from what probes find, and edges and auth are told', async () => {
    const server = await add({ url: 'https://mcp.example.com/mcp' });
    expect(server).toMatchObject({ auth: 'auto', transport: 'auto', identityMode: 'none' });
    const before = await fetchSnapshot();
    expect(before.servers[0]).toMatchObject({ auth: 'auto', transport: 'auto', identityMode: 'none' });
    expect(await seen(server, { status: 'unknown', detail: 'Waiting.', ...SIGN_IN })).toMatchObject({ auth: 'auto', identityMode: 'private-or-global', health: SIGN_IN });
    expect(await lines('example', 'probe')).toEqual([['waiting', 'Waiting.']]);
    const after = await fetchSnapshot();
    expect(after.version).toBe(before.version + 1);
    expect(after.servers[0]).toMatchObject({ auth: 'oauth', transport: 'streamable-http', identityMode: 'private-or-global' });
    expect(await upstream(server.id)).toEqual({
      ...{ id: server.id, name: 'example', url: server.url, allowPrivateNetwork: false, caCertificate: null, state: 'running' },
      ...{ auth: 'oauth', identityMode: 'private-or-global', secretHeaders: ['Authorization'], oauth: {}, preset: null },
    });
    expect([await upstream('example'), await upstream('none'), await upstream(newId('server'))]).toEqual([await upstream(server.id), null, null]);
  });

  it('stays as found when a look had nothing to find out, or broke on the way', async () => {
    const server = await add({ url: 'https://mcp.example.com/mcp' });
    await seen(server, SIGN_IN);
    const { version } = await fetchSnapshot();
    expect((await seen(server, {}, [])).health).toMatchObject({ ...SIGN_IN, status: 'healthy' });
    const broken = { steps: [step('failed')], verdict: 'failed', advice: 'Look at it.' };
    expect(await seen(server, { status: 'failing', failure: 'unauthenticated', ...broken })).toMatchObject({ identityMode: 'private-or-global', health: { ...broken, transport: 'streamable-http' } });
    await gateway.request(serverContracts.restartServer, { actor: ACTOR, name: server.name, revision: null });
    expect(await get(server.name)).toMatchObject({ identityMode: 'private-or-global', health: { ...broken, status: 'unknown', checkedAt: null } });
    await until(() => orders.find(({ anew }) => anew));
    expect((await fetchSnapshot()).version).toBe(version + 1);
  });

  it('is as an administrator sets it', async () => {
    const oauth = { grant: 'client_credentials' as const, clientId: 'ours', resource: 'https://api.example.com/', authorizeParams: { prompt: 'consent' } };
    const server = await add({ url: 'https://mcp.example.com/mcp', auth: 'oauth', oauth, transport: 'sse', signCalls: true, forwardHeaders: ['Accept-Language'] });
    expect(server).toMatchObject({ auth: 'oauth', oauth, transport: 'sse', signCalls: true, forwardHeaders: ['Accept-Language'], identityMode: 'global' });
    expect((await fetchSnapshot()).servers[0]).toMatchObject({ auth: 'oauth', transport: 'sse', identityMode: 'global', signCalls: true, forwardHeaders: ['Accept-Language'] });
    expect(await upstream('example')).toMatchObject({ oauth });
    const people = await add({ url: 'https://mcp.example.com/mcp', auth: 'headers', identityMode: 'private-required', secretHeaders: ['X-Key'] });
    expect(await upstream(people.id)).toMatchObject({ auth: 'headers', identityMode: 'private-required', secretHeaders: ['X-Key'] });
  });

  it('is refused when it does not fit together or leads astray', async () => {
    for (const [input, code, details] of REFUSED) await expect(add(input)).rejects.toEqual(refusal(code, expect.objectContaining(details) as object));
    expect((await gateway.request(serverContracts.listServers, {})).items).toEqual([]);
  });

  it('may lead into a private network where that is allowed', async () => {
    const oauth = { issuer: 'http://10.0.0.1:8080/', tokenUrl: 'https://localhost/token' };
    expect(await add({ url: 'http://10.0.0.2/mcp', allowPrivateNetwork: true, oauth })).toMatchObject({ oauth });
  });
});

const LOOKED_AT: [Change, anew: boolean][] = [
  [{ auth: 'oauth' }, true],
  [{ oauth: { clientId: 'ours' } }, true],
  [{ identityMode: 'global' }, true],
  [{ transport: 'sse' }, true],
  [{ url: 'https://other.example.com/mcp' }, true],
  [{ url: 'https://other.example.com/v2/mcp' }, false],
  [{ headers: [['X-A', '1']] }, false],
  [{ stateless: true }, false],
];

describe('changing a server', () => {
  it('changes what is given and leaves the rest, by revision, in its own log', async () => {
    const server = await add({ url: 'https://mcp.example.com/mcp', headers: [['X-A', '1']] });
    expect(await patch(server.name, { signCalls: true }, 1)).toMatchObject({ signCalls: true, headers: [['X-A', '1']], revision: 2 });
    await expect(patch(server.name, { signCalls: false }, 1)).rejects.toEqual(refusal('precondition_failed', { revision: 2 }));
    const { version } = await fetchSnapshot();
    expect(await patch(server.name, { signCalls: true })).toMatchObject({ revision: 2 });
    expect((await fetchSnapshot()).version).toBe(version);
    await expect(patch(server.name, { secretHeaders: ['X-Key'], auth: 'none' })).rejects.toEqual(refusal('bad_params'));
    await expect(patch(server.name, { url: 'http://mcp.example.com/' })).rejects.toEqual(refusal('url_refused'));
    await expect(patch('none', {})).rejects.toEqual(refusal('unknown_server'));
    expect(await lines(server.name)).toEqual([['registered', null], ['changed', 'signCalls']]);
    expect(orders.length).toBeLessThanOrEqual(1);
  });

  it('has edges forget the old ways and look, anew after another way in', async () => {
    const { id, name } = await add({ url: 'https://mcp.example.com/mcp' });
    for (const [round, [change, anew]] of LOOKED_AT.entries()) {
      await patch(name, change);
      expect((await fetchSnapshot()).servers[0]!.restarts).toBe(round + 1);
      expect(await until(() => orders.find(({ restarts }) => restarts === round + 1))).toMatchObject({ serverId: id, anew, identity: null });
    }
  });

  it('forgets what was found out at another origin, and does not call a stopped one', async () => {
    const server = await add({ url: 'https://mcp.example.com/mcp' });
    await seen(server, SIGN_IN);
    expect(await patch(server.name, { headers: [['X-A', '1']] })).toMatchObject({ identityMode: 'private-or-global', health: { status: 'unknown', verdict: 'sign_in' } });
    await gateway.request(serverContracts.stopServer, { actor: ACTOR, name: server.name, revision: null });
    expect(await patch(server.name, { url: 'https://mcp.example.com:8443/mcp' })).toMatchObject({ identityMode: 'none', health: { status: 'unknown', verdict: null, steps: [] } });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Math.max(...orders.map(({ restarts }) => restarts))).toBe(1);
  });

  it('logs hops for so long, and says when', async () => {
    const { name } = await add();
    const debug = (minutes: number) => gateway.request(serverContracts.debugServer, { actor: ACTOR, name, minutes });
    const until15 = clock.now() + 15 * 60_000;
    expect(await debug(15)).toMatchObject({ debugUntil: until15, revision: 2 });
    expect((await fetchSnapshot()).servers[0]!.debugUntil).toBe(until15);
    expect(await debug(0)).toMatchObject({ debugUntil: null, revision: 3 });
    expect(await debug(0)).toMatchObject({ revision: 3 });
    await debug(1);
    clock.advance(60_000);
    expect(await debug(0)).toMatchObject({ revision: 4 });
    expect(await lines(name)).toEqual([['registered', null], ['debug_on', 'for 15 min'], ['debug_off', null], ['debug_on', 'for 1 min']]);
  });
});

describe('an identity that changed', () => {
  const change = (serverId: string, more: Partial<z.input<typeof identityContracts.identityChanged.payload>> = {}) => {
    const payload = { identityId: newId('identity'), serverId, owner: newId('person'), status: 'active' as const, reason: null, cause: 'connected' as const, at: clock.now(), ...more };
    return auth.events.publish(identityContracts.identityChanged, payload, newId('identity')).then(() => payload);
  };

  it('has an edge look as the one that was just connected, once for all replicas', async () => {
    await startReplica();
    const { id } = await add();
    for (const cause of ['connected', 'stored', 'shared'] as const) {
      const { identityId, owner } = await change(id, { cause });
      expect(await until(() => orders.find(({ identity }) => identity?.id === identityId))).toMatchObject({ serverId: id, anew: false, identity: { id: identityId, owner } });
    }
    expect(orders.filter(({ identity }) => identity !== null)).toHaveLength(3);
  });

  it('is nothing to look for when it was refreshed, is dead, or its server is gone or stopped', async () => {
    const [one, stopped] = [await add(), await add()];
    await gateway.request(serverContracts.stopServer, { actor: ACTOR, name: stopped.name, revision: null });
    for (const cause of ['refreshed', 'refused', 'unreachable', 'removed', 'owner_gone'] as const) await change(one.id, { cause });
    await change(one.id, { status: 'needs_reauth' });
    await change(newId('server'));
    await change(stopped.id);
    const { identityId } = await change(one.id);
    await until(() => orders.find(({ identity }) => identity?.id === identityId));
    expect(orders.filter(({ identity }) => identity !== null)).toHaveLength(1);
  });
});
