import { inProcessBus } from '@gatehouse/bus';
import { catalogueContracts, serverContracts, presetContracts, type upstreamContracts } from '@gatehouse/contracts';
import { describe, expect, it } from '@jest/globals';
import { ACTOR, add, broker, fetchSnapshot, gateway, onPolicyStage, refusal, startReplica } from './policy-stage.conformance.js';

onPolicyStage();

const ours = (more: Partial<upstreamContracts.Preset> = {}): upstreamContracts.Preset => ({
  ...{ name: 'ours', title: 'Ours', hosts: ['*.corp.example'], oauth: {}, header: null, documentation: null, notes: null },
  ...more,
});
const put = (preset: upstreamContracts.Preset) => gateway.request(presetContracts.putPreset, { actor: ACTOR, preset });
const drop = (name: string) => gateway.request(presetContracts.deletePreset, { actor: ACTOR, name });
const list = async () => (await gateway.request(presetContracts.listPresets, {})).items;

describe('presets', () => {
  it('are written beside and over those that are shipped, apply at every replica, and are forgotten again', async () => {
    await startReplica();
    const shipped = await list();
    expect(shipped.map(({ name }) => name)).toEqual(shipped.map(({ name }) => name).toSorted());
    const weaker = { assumePkce: true, issuerAlias: 'https://as.corp.example', allowResource: 'https://other.example/', tokenUrl: 'https://as.corp.example/token' };
    expect(await put(ours({ oauth: weaker }))).toEqual({ ...ours({ oauth: weaker }), source: 'edited' });
    await put(ours({ name: 'slack', title: 'Our Slack', hosts: ['mcp.slack.com'], oauth: { scopeParam: 'user_scope' } }));
    for (const _ of [1, 2]) {
      const items = await list();
      expect(items).toHaveLength(shipped.length + 1);
      expect(items.find(({ name }) => name === 'ours')).toMatchObject({ source: 'edited', oauth: weaker });
      expect(items.find(({ name }) => name === 'slack')).toMatchObject({ source: 'edited', title: 'Our Slack' });
    }
    expect(await drop('slack')).toEqual({ name: 'slack' });
    await drop('ours');
    expect(await list()).toEqual(shipped);
    await expect(drop('slack')).rejects.toEqual(refusal('not_found', { preset: 'slack' }));
  });

  it('lie under the settings of the servers at their hosts, and edges hear of it when it changes what they do', async () => {
    const auth = inProcessBus(broker, 'auth');
    await put(ours({ oauth: { scopes: ['read'], resource: 'omit', authorizeParams: { a: '1', b: '1' } }, header: { name: 'X-Token', prefix: '' } }));
    const server = await add({ url: 'https://mcp.corp.example/', auth: 'oauth', oauth: { scopes: ['write'], authorizeParams: { b: '2' } } });
    const pasted = await add({ url: 'https://mcp.corp.example/', auth: 'headers', identityMode: 'private-required' });
    expect(server).toMatchObject({ preset: 'ours', oauth: { scopes: ['write'], authorizeParams: { b: '2' } }, identityMode: 'private-or-global' });
    const upstream = async (id: string) => (await auth.request(serverContracts.findUpstream, { server: id })).upstream;
    expect(await upstream(server.id)).toMatchObject({ preset: ours({ oauth: { scopes: ['read'], resource: 'omit', authorizeParams: { a: '1', b: '1' } }, header: { name: 'X-Token', prefix: '' } }) });
    expect((await upstream(server.id))!.oauth).toEqual({ scopes: ['write'], resource: 'omit', authorizeParams: { a: '1', b: '2' } });
    expect((await upstream(pasted.id))!.secretHeaders).toEqual(['X-Token']);
    const { version } = await fetchSnapshot();
    await put(ours({ oauth: { scopes: ['other'] } }));
    expect((await fetchSnapshot()).version).toBe(version);
    await put(ours({ oauth: { grant: 'client_credentials' } }));
    expect(await fetchSnapshot()).toMatchObject({ version: version + 1, servers: [{ identityMode: 'global' }, { identityMode: 'private-required' }] });
    await drop('ours');
    expect(await fetchSnapshot()).toMatchObject({ version: version + 2, servers: [{ identityMode: 'private-or-global' }, {}] });
    expect((await upstream(server.id))!.preset).toBeNull();
    await auth.close();
  });

  it('are refused with a host that another edited one has, a header that is not sent, an address that is not reached', async () => {
    await put(ours());
    await expect(put(ours({ name: 'theirs', hosts: ['theirs.example', '*.corp.example'] }))).rejects.toEqual(refusal('conflict', { preset: 'ours', host: '*.corp.example' }));
    await put(ours({ name: 'theirs', hosts: ['a.corp.example', 'mcp.notion.com'] }));
    await expect(put(ours({ header: { name: 'Host', prefix: '' } }))).rejects.toEqual(refusal('header_refused', { header: 'Host', reason: 'reserved' }));
    for (const address of ['http://as.corp.example/', 'https://10.0.0.1/', 'https://u@as.corp.example/']) {
      await expect(put(ours({ oauth: { tokenUrl: address } }))).rejects.toEqual(refusal('bad_params'));
    }
    expect((await list()).filter(({ source }) => source === 'edited').map(({ name }) => name)).toEqual(['ours', 'theirs']);
    expect((await add({ url: 'https://mcp.notion.com/mcp' })).preset).toBe('theirs');
  });

  it('are named by the entries of the catalogue at their hosts', async () => {
    expect(await gateway.request(catalogueContracts.getCatalogueEntry, { name: 'slack' })).toMatchObject({ preset: 'slack', auth: 'oauth-client' });
    expect(await gateway.request(catalogueContracts.getCatalogueEntry, { name: 'deepwiki' })).toMatchObject({ preset: null });
    const entry = { name: 'corp', title: 'Corp', url: 'https://mcp.corp.example/', auth: 'unknown' as const, documentation: null, notes: null, source: 'x' };
    await gateway.request(catalogueContracts.importCatalogue, { actor: ACTOR, source: 'x', entries: [{ ...entry, preset: 'forged' }] });
    await put(ours());
    const { items } = await gateway.request(catalogueContracts.listCatalogue, {});
    expect(items.find(({ name }) => name === 'corp')).toMatchObject({ preset: 'ours' });
  });
});
