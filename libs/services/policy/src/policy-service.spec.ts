import { inProcessBus } from '@gatehouse/bus';
import { catalogueContracts, policyContracts, serverContracts, SNAPSHOT_CHUNK_CHARS } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { TestAuthority } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';
import { ACTOR, add, apply, broker, clock, fetchSnapshot, gateway, LeasingVault, observe, onPolicyStage, orders, published, refusal, replicas, startReplica, toolItem, until, type Seen } from './policy-stage.conformance.js';

const PERMIT_ALL = 'permit(principal is Gatehouse::Person, action, resource);';

onPolicyStage();

describe('the first start', () => {
  it('writes one policy in plain sight, valid and allowing everybody who signed in', async () => {
    const { items } = await gateway.request(policyContracts.listPolicies, {});
    expect(items).toMatchObject([{ name: policyContracts.FIRST_POLICY_NAME, version: 1, updatedBy: null }]);
    expect(items[0]!.text).toMatch(/^\/\/ .*Everybody who has signed in/);
    await add();
    const question = { person: { id: 'per_x' }, action: 'call' as const, server: 'notion', target: 'search' };
    expect(await gateway.request(policyContracts.testPolicy, { question, draft: null })).toEqual({ effect: 'allow', reason: 'permitted', policies: [policyContracts.FIRST_POLICY_NAME] });
  });

  it('is first only once: a deleted policy stays deleted after a restart', async () => {
    await gateway.request(policyContracts.deletePolicy, { actor: ACTOR, name: policyContracts.FIRST_POLICY_NAME });
    await replicas.pop()!.close();
    await startReplica();
    expect((await gateway.request(policyContracts.listPolicies, {})).items).toEqual([]);
    expect((await fetchSnapshot()).policies).toEqual([]);
  });

  it('is not ready without the signing key, and is once the vault is there', async () => {
    LeasingVault.away = true;
    const late = await startReplica();
    expect(await late.ready()).toBe('policy signing key from the vault');
    LeasingVault.away = false;
    expect(await late.ready()).toBe(true);
  });
});

describe('the catalogue', () => {
  const entry = (name: string, source = 'a') => ({ name, title: name, url: `https://${name}.example/mcp`, auth: 'unknown' as const, documentation: null, notes: null, source });
  const bring = async (source: string, ...names: string[]) =>
    (await gateway.request(catalogueContracts.importCatalogue, { actor: ACTOR, source, entries: names.map((name) => entry(name, 'forged')) })).imported;
  const list = async (more: object = {}) => (await gateway.request(catalogueContracts.listCatalogue, more)).items.map(({ name, source }) => [name, source]);

  it('has what was imported beside the well-known servers, page by page, and the last import of a source in place of the one before', async () => {
    const own = await list();
    expect(await bring('a', 'aaa', 'notion', 'zzz')).toBe(2);
    expect(await bring('b', 'aaa', 'bbb')).toBe(1);
    const names = [['aaa', 'a'], ['bbb', 'b'], ['zzz', 'a']];
    expect(await list()).toEqual([...own, ...names].sort());
    expect(await list({ after: 'bbb', limit: 2 })).toEqual([...own, ...names].sort().filter(([name]) => name! > 'bbb').slice(0, 2));
    expect(await bring('a', 'ccc')).toBe(1);
    expect(await list()).toEqual([...own, ['bbb', 'b'], ['ccc', 'a']].sort());
    expect((await gateway.request(catalogueContracts.getCatalogueEntry, { name: 'notion' })).source).not.toBe('a');
    await expect(gateway.request(catalogueContracts.getCatalogueEntry, { name: 'zzz' })).rejects.toEqual(refusal('not_found', { catalogue: 'zzz' }));
  });
});

describe('the register of servers', () => {
  it('names a server after its host, keeps it and orders a probe', async () => {
    const first = await add({ headers: [['Notion-Version', '2022-06-28']], secretHeaders: ['Authorization'] });
    expect(first).toMatchObject({ name: 'notion', state: 'running', revision: 1, tools: 0, health: { status: 'unknown' }, secretHeaders: ['Authorization'] });
    expect(await gateway.request(serverContracts.getServer, { name: 'notion' })).toEqual(first);
    expect((await add()).name).toBe('notion-2');
    await until(() => (orders.some(({ serverId }) => serverId === first.id) ? true : undefined));
    const { items } = await gateway.request(serverContracts.listServers, {});
    expect(items.map(({ name }) => name)).toEqual(['notion', 'notion-2']);
  });

  it('tells edges what they need, and nothing of secret headers', async () => {
    const before = await fetchSnapshot();
    const added = await add({ headers: [['X-Plain', 'v']], secretHeaders: ['X-Key'] });
    const after = await fetchSnapshot();
    expect(after).toMatchObject({ epoch: before.epoch, version: before.version + 1 });
    expect(after.servers).toEqual([
      {
        ...{ id: added.id, name: 'notion', url: added.url, allowPrivateNetwork: false, caCertificate: null, state: 'running', transport: 'auto', auth: 'headers' },
        ...{ identityMode: 'global', grant: null, headers: [['X-Plain', 'v']], tools: {}, stateless: false, signCalls: false, forwardHeaders: [], debugUntil: null, restarts: 0 },
      },
    ]);
    await until(() => published.find(({ version }) => version === after.version));
  });

  it('keeps certificates and statelessness, shows the one by name and tells edges both', async () => {
    const { certificate } = new TestAuthority();
    const shown = await add({ stateless: true, caCertificate: `ours:\n${certificate}` });
    expect(shown).toMatchObject({ stateless: true, caCertificates: [{ subject: expect.stringContaining('test authority') }] });
    expect((await fetchSnapshot()).servers).toMatchObject([{ stateless: true, caCertificate: certificate }]);
    await expect(add({ caCertificate: 'none' })).rejects.toEqual(refusal('certificate_refused', { reason: 'not_pem' }));
    expect((await gateway.request(serverContracts.listServers, {})).items).toEqual([shown]);
  });

  it('refuses taken names, bad URLs, reserved headers and lost credentials, and keeps nothing of them', async () => {
    await add({ name: 'notion' });
    await expect(add({ name: 'notion' })).rejects.toEqual(refusal('conflict', { server: 'notion' }));
    await expect(add({ url: 'http://example.com' })).rejects.toEqual(refusal('url_refused', { reason: 'scheme' }));
    await expect(add({ headers: [['Host', 'x']] })).rejects.toEqual(refusal('header_refused', { header: 'Host', reason: 'reserved' }));
    await expect(add({ headers: [['X-A', '1']], secretHeaders: ['x-a'] })).rejects.toEqual(refusal('header_refused', { header: 'x-a', reason: 'given_twice' }));
    await expect(add({ secretHeaders: ['X-A'], auth: 'oauth' })).rejects.toEqual(refusal('bad_params'));
    expect((await gateway.request(serverContracts.listServers, {})).items).toHaveLength(1);
  });

  it('lets simultaneous additions over two replicas take turns', async () => {
    await startReplica();
    const added = await Promise.all(Array.from({ length: 8 }, () => add()));
    expect(new Set(added.map(({ name }) => name)).size).toBe(8);
    expect((await fetchSnapshot()).version).toBe(9);
  });

  it('stops, starts and removes with revisions', async () => {
    const { name, revision } = await add();
    const change = { actor: ACTOR, name, revision };
    const stopped = await gateway.request(serverContracts.stopServer, change);
    expect(stopped).toMatchObject({ state: 'stopped', revision: revision + 1 });
    expect((await fetchSnapshot()).servers[0]!.state).toBe('stopped');
    await expect(gateway.request(serverContracts.startServer, change)).rejects.toEqual(refusal('precondition_failed', { revision: revision + 1 }));
    const again = await gateway.request(serverContracts.stopServer, { ...change, revision: null });
    expect(again.revision).toBe(revision + 1);
    expect(await gateway.request(serverContracts.startServer, { ...change, revision: revision + 1 })).toMatchObject({ state: 'running', revision: revision + 2 });
    expect(await gateway.request(serverContracts.removeServer, { ...change, revision: null })).toMatchObject({ name });
    expect((await fetchSnapshot()).servers).toEqual([]);
    await expect(gateway.request(serverContracts.getServer, { name })).rejects.toEqual(refusal('unknown_server', { server: name }));
    await expect(gateway.request(serverContracts.stopServer, { ...change, revision: null })).rejects.toEqual(refusal('unknown_server', { server: name }));
  });

  it('restarts a server: started, health unknown, edges told, a probe ordered that knows of it', async () => {
    const { name, id } = await add();
    await observe(id, { items: [toolItem('a')] });
    await until(async () => ((await gateway.request(serverContracts.getServer, { name })).health.status === 'healthy' ? true : undefined));
    const change = { actor: ACTOR, name, revision: null };
    await gateway.request(serverContracts.stopServer, change);
    const { version } = await fetchSnapshot();
    expect(await gateway.request(serverContracts.restartServer, change)).toMatchObject({ state: 'running', revision: 3, tools: 1, health: { status: 'unknown', checkedAt: null } });
    const snapshot = await fetchSnapshot();
    expect([snapshot.version, snapshot.servers[0]!.restarts]).toEqual([version + 1, 1]);
    await until(() => orders.find(({ serverId, restarts }) => serverId === id && restarts === 1));
  });

  it('keeps a log of each server: what was done with it and what probes found, the last 200 of a kind', async () => {
    const { name, id } = await add();
    const other = await add();
    const change = { actor: ACTOR, name, revision: null };
    for (const contract of [serverContracts.stopServer, serverContracts.stopServer, serverContracts.startServer, serverContracts.restartServer]) await gateway.request(contract, change);
    const failing = { status: 'failing', failure: 'tls_expired', detail: 'It has expired.', protocolVersion: null, serverInfo: null };
    await observe(id, { items: [toolItem('a')], probeId: 'good' });
    await observe(id, { health: failing, probeId: 'bad' });
    const lines = (more: object = {}) => gateway.request(serverContracts.listServerLines, { name, since: 0, after: null, limit: 1_000, ...more }).then(({ items }) => items);
    await until(async () => ((await lines()).some(({ event }) => event === 'failing') ? true : undefined));
    const all = await lines();
    expect(all.map(({ kind, event, detail }) => [kind, event, detail])).toEqual([
      ...['registered', 'stopped', 'started', 'restarted'].map((event) => ['state', event, null]),
      ['probe', 'healthy', 'MCP 2025-06-18, offers 1'],
      ['probe', 'failing', 'tls_expired: It has expired.'],
    ]);
    expect(await lines({ limit: 2 })).toEqual(all.slice(-2));
    expect(await lines({ after: all[1]!.seq, limit: 2 })).toEqual(all.slice(2, 4));
    for (let at = 0; at < 205; at++) await observe(id, { probeId: `p${at}` });
    await until(async () => ((await lines({ limit: 1_000 })).filter(({ kind }) => kind === 'probe').every(({ event }) => event === 'healthy') ? true : undefined));
    const kinds = (await lines()).map(({ kind }) => kind);
    expect([kinds.filter((kind) => kind === 'state').length, kinds.filter((kind) => kind === 'probe').length]).toEqual([4, 200]);
    expect(await lines({ name: other.name })).toMatchObject([{ event: 'registered' }]);
  });

  it('is the only endpoint by itself when all others are stopped', async () => {
    const auth = inProcessBus(broker, 'auth');
    const [one, two] = [await add(), await add()];
    const only = async (slug: string | null = null) => (await auth.request(policyContracts.findEndpoint, { slug })).slug;
    expect(await only()).toBeNull();
    await gateway.request(serverContracts.stopServer, { actor: ACTOR, name: one.name, revision: null });
    expect([await only(), await only(one.name)]).toEqual([two.name, one.name]);
    await auth.close();
  });

  it('orders a probe when asked, without a new snapshot', async () => {
    const { name, id } = await add();
    const { version } = await fetchSnapshot();
    await until(() => (orders.length === 1 ? true : undefined));
    await gateway.request(serverContracts.probeServer, { actor: ACTOR, name, revision: null });
    await until(() => (orders.length === 2 ? true : undefined));
    expect(orders.every(({ serverId }) => serverId === id)).toBe(true);
    expect((await fetchSnapshot()).version).toBe(version);
  });

  it('orders probes of running servers once per interval, however many replicas there are', async () => {
    const [running, stopped] = [await add(), await add()];
    await gateway.request(serverContracts.stopServer, { actor: ACTOR, name: stopped.name, revision: null });
    await until(() => (orders.length === 2 ? true : undefined));
    clock.advance(300_000);
    await Promise.all([startReplica(), startReplica()]);
    await until(() => (orders.length > 2 ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(orders.slice(2).map(({ serverId }) => serverId)).toEqual([running.id]);
  });
});

describe('what edges saw', () => {
  const toolsOf = async () => (await fetchSnapshot()).servers[0]!.tools;

  it('is applied when all parts are here, in any order, twice, at any replica', async () => {
    await startReplica();
    const { id, name } = await add();
    for (const part of [2, 0, 0, 2]) await observe(id, { part, parts: 3, items: [toolItem(`t${part}`)] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await toolsOf()).toEqual({});
    await observe(id, { part: 1, parts: 3, items: [toolItem('t1')] });
    await until(async () => (Object.keys(await toolsOf()).length > 0 ? true : undefined));
    expect(await toolsOf()).toEqual({ t0: 'f-t0', t1: 'f-t1', t2: 'f-t2' });
    const { items } = await gateway.request(serverContracts.listServerItems, { name, kind: 'tool' });
    expect(items.map((item) => item.name)).toEqual(['t0', 't1', 't2']);
    expect(await gateway.request(serverContracts.getServer, { name })).toMatchObject({ tools: 3, revision: 1, health: { status: 'healthy', serverInfo: { name: 'demo' } } });
  });

  it('makes a new snapshot only when an edge needs what changed', async () => {
    const { id, name } = await add();
    const healthAt = () => gateway.request(serverContracts.getServer, { name }).then(({ health }) => health.checkedAt);
    const seen = async (more: Seen) => {
      clock.advance(1_000);
      await observe(id, more);
      await until(async () => ((await healthAt()) === clock.now() ? true : undefined));
      return (await fetchSnapshot()).version;
    };
    const first = await seen({ items: [toolItem('a')] });
    expect(await seen({ items: [toolItem('a')] })).toBe(first);
    expect(await seen({ items: [{ ...toolItem('a'), description: 'other words' }] })).toBe(first);
    expect(await seen({ items: [toolItem('a', 'changed')] })).toBe(first + 1);
    expect(await seen({ items: [], health: { status: 'failing', failure: 'timeout' } })).toBe(first + 1);
    expect(await toolsOf()).toEqual({ a: 'changed' });
  });

  it('never goes back to an older look, and forgets servers that are gone', async () => {
    const { id, name } = await add();
    await observe(id, { items: [toolItem('new')], probeId: 'p2' });
    await until(async () => ('new' in (await toolsOf()) ? true : undefined));
    await observe(id, { items: [toolItem('old')], health: { checkedAt: clock.now() - 1 } });
    await observe(newId('server'), { items: [toolItem('x')] });
    await observe(id, { items: [toolItem('newest')], probeId: 'p3' });
    await until(async () => ('newest' in (await toolsOf()) ? true : undefined));
    expect(await toolsOf()).toEqual({ newest: 'f-newest' });
    expect((await gateway.request(serverContracts.listServerItems, { name, kind: null })).items).toHaveLength(1);
  });

  it('learns from an older look how to sign in, where the later one had an account already', async () => {
    const { id, name } = await add();
    await observe(id, { items: [toolItem('inside')], probeId: 'p2' });
    await until(async () => ('inside' in (await toolsOf()) ? true : undefined));
    const step = { step: 'request', outcome: 'ok', url: null, detail: 'It asks for an account.' };
    await observe(id, { health: { status: 'unknown', verdict: 'sign_in', steps: [step], checkedAt: clock.now() - 1 }, probeId: 'p1' });
    const known = await until(async () => {
      const server = await gateway.request(serverContracts.getServer, { name });
      return server.health.verdict === null ? undefined : server;
    });
    expect(known).toMatchObject({ health: { status: 'healthy', verdict: 'sign_in', steps: [step] } });
    expect(await toolsOf()).toEqual({ inside: 'f-inside' });
  });

  it('stands names that upstreams choose', async () => {
    const { id } = await add();
    const long = 'x'.repeat(300);
    await observe(id, { items: [toolItem('constructor'), toolItem('nul\u0000'), toolItem('half\ud800'), toolItem('twice', 'one'), toolItem('twice', 'two'), toolItem(long), toolItem('"quotes\\')] });
    await until(async () => (Object.keys(await toolsOf()).length > 0 ? true : undefined));
    expect(await toolsOf()).toEqual({ constructor: 'f-constructor', 'nul\ufffd': 'f-nul\ufffd', 'half\ufffd': 'f-half\ufffd', twice: 'one', '"quotes\\': 'f-"quotes\\' });
  });
});

describe('policies', () => {
  const forbid = 'forbid(principal, action, resource == Gatehouse::Tool::"notion/delete");';

  it('are applied within a second, without restart, at every replica', async () => {
    await add();
    await startReplica();
    const start = performance.now();
    const { items, snapshot } = await apply([{ name: 'no-delete', text: forbid }]);
    expect(items).toMatchObject([{ name: 'no-delete', version: 1, text: forbid, updatedBy: ACTOR.callerId }]);
    await until(() => published.find(({ version }) => version === snapshot.version));
    expect(performance.now() - start).toBeLessThan(1_000);
    for (const _ of replicas) expect((await fetchSnapshot()).policies.map(({ name }) => name)).toEqual(['no-delete', policyContracts.FIRST_POLICY_NAME]);
    const question = { person: { id: 'per_x' }, action: 'call' as const, server: 'notion', target: 'delete' };
    expect(await gateway.request(policyContracts.testPolicy, { question, draft: null })).toEqual({ effect: 'deny', reason: 'forbidden', policies: ['no-delete'] });
  });

  it('are written all or none, with the place of what is wrong', async () => {
    const { version } = await fetchSnapshot();
    const wrong = { name: 'wrong', text: '// why\nforbid(principal, action == Gatehouse::Action::"cal", resource);' };
    await expect(apply([{ name: 'no-delete', text: forbid }, wrong])).rejects.toEqual(
      refusal('invalid_policy', expect.objectContaining({ policy: 'wrong', line: 2, column: 29, problem: expect.stringContaining('did you mean') }) as object),
    );
    await expect(apply([{ name: 'twice', text: forbid }, { name: 'twice', text: PERMIT_ALL }])).rejects.toEqual(refusal('invalid_policy'));
    expect((await gateway.request(policyContracts.listPolicies, {})).items).toHaveLength(1);
    expect((await fetchSnapshot()).version).toBe(version);
  });

  it('keep their versions, also over a deletion, and the same text is no new one', async () => {
    const once = await apply([{ name: 'p', text: forbid }]);
    expect(await apply([{ name: 'p', text: forbid }])).toEqual(once);
    expect((await apply([{ name: 'p', text: `${forbid}\n` }])).items[0]!.version).toBe(2);
    await gateway.request(policyContracts.deletePolicy, { actor: ACTOR, name: 'p' });
    await expect(gateway.request(policyContracts.getPolicy, { name: 'p' })).rejects.toEqual(refusal('not_found'));
    await expect(gateway.request(policyContracts.deletePolicy, { actor: ACTOR, name: 'p' })).rejects.toEqual(refusal('not_found'));
    expect((await apply([{ name: 'p', text: forbid }])).items[0]!.version).toBe(4);
    expect((await gateway.request(policyContracts.getPolicy, { name: 'p' })).version).toBe(4);
  });

  it('can be tried as a draft in their place, which changes nothing', async () => {
    await add();
    const question = { person: { id: 'per_x' }, action: 'call' as const, server: 'notion', target: 'delete' };
    const ask = (draft: { name: string; text: string }[] | null) => gateway.request(policyContracts.testPolicy, { question, draft });
    expect(await ask([{ name: 'draft', text: forbid }, { name: 'all', text: PERMIT_ALL }])).toEqual({ effect: 'deny', reason: 'forbidden', policies: ['draft'] });
    expect(await ask([])).toEqual({ effect: 'deny', reason: 'no_policy', policies: [] });
    expect((await ask(null)).effect).toBe('allow');
    await expect(ask([{ name: 'draft', text: 'nonsense' }])).rejects.toEqual(refusal('invalid_policy'));
    await expect(gateway.request(policyContracts.testPolicy, { question: { ...question, server: 'none' }, draft: null })).rejects.toEqual(refusal('unknown_server'));
    await expect(gateway.request(policyContracts.testPolicy, { question: { ...question, target: null }, draft: null })).rejects.toEqual(refusal('bad_params'));
  });
});

describe('the snapshot', () => {
  it('costs a few bytes when it is known', async () => {
    const { epoch, version } = await fetchSnapshot();
    const have = { epoch, version };
    expect(await gateway.request(policyContracts.getPolicySnapshot, { have })).toEqual({ unchanged: true, ...have });
    expect(await gateway.request(policyContracts.getPolicySnapshot, { have: { epoch: 'another', version } })).toMatchObject({ unchanged: false });
    expect(await gateway.request(policyContracts.getPolicySnapshot, { have: { epoch, version: version + 5 } })).toMatchObject({ unchanged: false, version });
  });

  it('travels in pieces that may come from different replicas', async () => {
    const filler = (name: string) => ({ name, text: `// ${'\u{1f600}'.repeat(15_000)}\n${PERMIT_ALL}` });
    await apply(Array.from({ length: 8 }, (_, index) => filler(`p${index}`)));
    await startReplica();
    const { chunks, policies } = await fetchSnapshot();
    expect(chunks.length).toBeGreaterThan(1);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(SNAPSHOT_CHUNK_CHARS);
    expect(policies).toHaveLength(9);
    await expect(gateway.request(policyContracts.getPolicySnapshot, { part: chunks.length })).rejects.toEqual(refusal('bad_params'));
  });

  it('is refused while the vault is away at the start, so that edges keep theirs', async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()));
    LeasingVault.away = true;
    await startReplica();
    await expect(gateway.request(policyContracts.getPolicySnapshot, {})).rejects.toEqual(refusal('service_unavailable'));
  });
});
