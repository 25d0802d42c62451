import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { api, identityContracts, serverContracts, vaultContracts } from '@gatehouse/contracts';
import { newId, openSealed, Refusal } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import { Neighbours } from '../neighbours.conformance.js';
import { AnsweringServices } from './answering-services.conformance.js';
import { ServerRegistration } from './server-registration.js';
import { ServerSecrets } from './server-secrets.js';
import { ServiceSecrets } from './service-secrets.js';
import { SnapshotWaits } from './snapshot-waits.js';

const { createIdentity, forgetUpstream, listIdentities, putUpstreamSecret, replaceIdentityHeaders } = identityContracts;
const { getServer, patchServer, probeServer, removeServer } = serverContracts;
const actor = { callerId: newId('person'), tokenId: newId('token') };
const SECRET = 'canary-secret-of-the-server';
const PEM = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

const bodyOf = (body: object) => api.serverBody.parse({ name: 'tools', url: 'https://mcp.example/mcp', ...body });
const withHeaders = (...headers: object[]) => bodyOf({ auth: { kind: 'headers', headers } });
const oauth = (members: object) => bodyOf({ auth: { kind: 'oauth', ...members } });
const key = { name: 'X-Api-Key', value: SECRET, secret: true };

describe('ServerRegistration', () => {
  let neighbours: Neighbours;
  let services: AnsweringServices;
  let registration: ServerRegistration;
  let waited: unknown[];
  let held: object[];
  const outbound = new Outbound();

  beforeEach(async () => {
    neighbours = new Neighbours();
    await neighbours.serve();
    services = new AnsweringServices(neighbours);
    await services.serve();
    held = [];
    waited = [];
    services.answers.set(listIdentities.subject, () => ({ items: held }));
    const bus = neighbours.bus('gateway');
    const reached = (version: unknown): Promise<boolean> => Promise.resolve(waited.push(version) > 0);
    const waits = new SnapshotWaits({ reached }, { reached });
    registration = new ServerRegistration(bus, outbound, new ServerSecrets(bus, new ServiceSecrets(bus), waits), waits);
  });

  afterEach(() => neighbours.close());

  const opened = (identityId: string, { name, sealed }: { name: string; sealed: string }): string =>
    openSealed(neighbours.entryPair, sealed, vaultContracts.entryContext(identityId, name)).toString('latin1');

  it('registers what is no secret, and makes an identity of the secret headers that the vault alone can open', async () => {
    const server = await registration.add(withHeaders(key, { name: 'X-Region', value: 'eu' }), actor);
    expect(neighbours.added).toMatchObject([{ actor, server: { auth: 'headers', headers: [['X-Region', 'eu']], secretHeaders: ['X-Api-Key'], identityMode: null } }]);
    const [made] = services.askedOf(createIdentity);
    expect(made).toMatchObject({ actor, serverId: server.id, owner: 'global', name: 'default', headers: [{ name: 'X-Api-Key', lastFour: 'rver' }] });
    expect(opened(made.identityId, made.headers[0])).toBe(SECRET);
    expect(waited.length).toBe(1);
    expect(JSON.stringify([neighbours.added, services.asked, server])).not.toContain(SECRET);
  });

  it('shows nothing of a short secret', async () => {
    await registration.add(withHeaders({ ...key, value: '123456789' }), actor);
    expect(services.askedOf(createIdentity)[0].headers[0].lastFour).toBeNull();
  });

  it('asks nobody for anything more when there is no secret, and finds out how to sign in by looking', async () => {
    const plain = { name: 'X-Region', value: 'eu' };
    for (const body of [withHeaders(plain), bodyOf({ headers: [plain] }), bodyOf({ auth: { kind: 'none' } })]) await registration.add(body, actor);
    expect([neighbours.added.map(({ server }) => [server.auth, server.headers, server.identityMode]), services.asked]).toEqual([
      [['auto', [['X-Region', 'eu']], null], ['auto', [['X-Region', 'eu']], null], ['none', [], null]],
      [],
    ]);
  });

  it('takes names alone, whose values each person brings', async () => {
    const names = { auth: { kind: 'headers', headers: [{ name: 'X-Api-Key', secret: true }] } };
    for (const body of [bodyOf(names), bodyOf({ ...names, identityMode: 'private-required' })]) await registration.add(body, actor);
    expect([neighbours.added.map(({ server }) => [server.secretHeaders, server.identityMode]), services.asked]).toEqual([[[['X-Api-Key'], 'private-or-global'], [['X-Api-Key'], 'private-required']], []]);
  });

  it.each([
    ['secret', { clientSecret: SECRET }, 'client_secret', SECRET],
    ['private key', { privateKey: PEM }, 'private_key', PEM],
  ])('gives the %s of a client to auth, sealed, and the rest of its settings to policy', async (_what, member, kind, text) => {
    const server = await registration.add(oauth({ clientId: 'ours', scopes: ['read'], ...member }), actor);
    expect(neighbours.added).toMatchObject([{ server: { auth: 'oauth', oauth: { clientId: 'ours', scopes: ['read'] } } }]);
    const [{ secret, ...put }] = services.askedOf(putUpstreamSecret);
    expect(put).toEqual({ actor, serverId: server.id, kind });
    expect(openSealed(neighbours.entryPair, secret.sealed, vaultContracts.serviceSecretContext(secret.secretId)).toString()).toBe(text);
    // A look that came before the secret found a client without one.
    expect(services.asked.at(-1)).toMatchObject({ subject: probeServer.subject, input: { name: server.name } });
    expect(JSON.stringify([neighbours.added, services.asked])).not.toContain(text.slice(0, 20));
  });

  it.each([
    ['identity', createIdentity, withHeaders(key)],
    ['secret', putUpstreamSecret, oauth({ clientId: 'ours', clientSecret: SECRET })],
  ])('takes the server away again when its %s cannot be kept', async (_what, contract, body) => {
    services.answers.set(contract.subject, () => {
      throw new Refusal('vault_unavailable');
    });
    await expect(registration.add(body, actor)).rejects.toMatchObject({ code: 'vault_unavailable' });
    expect([services.askedOf(removeServer), services.askedOf(forgetUpstream).length]).toEqual([[{ actor, name: 'tools', revision: null }], 1]);
  });

  it('keeps no secret of a server that policy refuses', async () => {
    neighbours.refuseServers = new Refusal('conflict', { name: 'tools' });
    await expect(registration.add(withHeaders(key), actor)).rejects.toMatchObject({ code: 'conflict', details: { name: 'tools' } });
    expect(services.asked).toEqual([]);
  });

  it('takes address and name from the catalogue, unless another name is given', async () => {
    neighbours.catalogue.set('notion', 'https://mcp.notion.com/mcp');
    const { name, url } = await registration.add(bodyOf({ name: undefined, url: undefined, catalogue: 'notion' }), actor);
    expect([name, url, (await registration.add(bodyOf({ url: undefined, catalogue: 'notion', name: 'ours' }), actor)).name]).toEqual(['notion', 'https://mcp.notion.com/mcp', 'ours']);
    await expect(registration.add(bodyOf({ url: undefined, catalogue: 'nowhere' }), actor)).rejects.toMatchObject({ code: 'not_found' });
    for (const both of [{ url: undefined }, { catalogue: 'notion' }]) await expect(registration.add(bodyOf(both), actor)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it.each([
    ['a private address', bodyOf({ url: 'https://10.0.0.1/' }), 'url_refused'],
    ['the metadata service', bodyOf({ url: 'http://169.254.169.254/', allowPrivateNetwork: true }), 'url_refused'],
    ['a private token address', oauth({ tokenUrl: 'https://10.0.0.1/token' }), 'url_refused'],
    ['the metadata service as issuer', oauth({ issuer: 'http://169.254.169.254/' }), 'url_refused'],
    ['a line break in a value', withHeaders({ name: 'X-Key', value: 'a\r\nHost: evil.example', secret: true }), 'header_refused'],
    ['NUL in a value', withHeaders({ name: 'X-Key', value: 'a\0b', secret: true }), 'header_refused'],
    ['a value beyond Latin-1', withHeaders({ name: 'X-Key', value: 'k\u0119y', secret: true }), 'header_refused'],
    ['a header twice', withHeaders({ name: 'X-Key', value: 'aaaaaaaa', secret: true }, { name: 'x-KEY', value: 'b' }), 'header_refused'],
    ['a header twice in two places', bodyOf({ headers: [{ name: 'x-api-key', value: 'b' }], auth: { kind: 'headers', headers: [key] } }), 'header_refused'],
    ['an identity that nothing stands for', bodyOf({ identityMode: 'global', auth: { kind: 'none' } }), 'bad_request'],
    ['a secret that nobody sends', bodyOf({ identityMode: 'none', auth: { kind: 'headers', headers: [key] } }), 'bad_request'],
    ['a shared secret where each brings their own', bodyOf({ identityMode: 'private-required', auth: { kind: 'headers', headers: [key] } }), 'bad_request'],
    ['the values of some headers', withHeaders(key, { name: 'X-Other', secret: true }), 'bad_request'],
    ['a plain header without a value', withHeaders({ name: 'X-Region' }), 'bad_request'],
    ['a client with both a secret and a key', oauth({ clientSecret: SECRET, privateKey: PEM }), 'bad_request'],
    ['a private key that is none', oauth({ privateKey: SECRET }), 'bad_request'],
  ])('refuses %s before anybody is asked', async (_what, body, code) => {
    const refused = await registration.add(body, actor).catch((error: Refusal) => error);
    expect(refused).toMatchObject({ code });
    expect([services.asked, neighbours.added]).toEqual([[], []]);
    expect(JSON.stringify((refused as Refusal).details)).not.toContain(SECRET);
  });

  describe('a change', () => {
    const target = { actor, name: 'tools', revision: 3 };
    const change = (body: object) => registration.change(target, api.serverChange.parse(body));
    const changes = (): any[] => services.askedOf(patchServer).map(({ change: each }) => each);

    beforeEach(() => void services.answers.set(getServer.subject, () => ({ ...services.sample(getServer), identityMode: 'none' })));

    it('asks for what is given alone, of the revision that was meant', async () => {
      await change({ stateless: true });
      expect(services.askedOf(patchServer)).toEqual([{ ...target, change: { stateless: true } }]);
    });

    it('puts another way in, its settings and its secret in place of what was there', async () => {
      await change({ auth: { kind: 'oauth', clientId: 'ours', clientSecret: SECRET } });
      expect(changes()).toEqual([{ auth: 'oauth', oauth: { clientId: 'ours' }, secretHeaders: [] }]);
      expect(services.askedOf(putUpstreamSecret)).toMatchObject([{ kind: 'client_secret' }]);
    });

    it('replaces the values that the organisation\'s identity holds', async () => {
      const { items } = services.sample(listIdentities);
      held = [{ ...items[0], method: 'headers' }];
      await change({ auth: { kind: 'headers', headers: [key] }, headers: [{ name: 'X-Region', value: 'us' }] });
      expect(changes()).toEqual([{ auth: 'headers', oauth: {}, secretHeaders: ['X-Api-Key'], headers: [['X-Region', 'us']] }]);
      const [{ identityId, headers }] = services.askedOf(replaceIdentityHeaders);
      expect([identityId, opened(identityId, headers[0]), services.askedOf(createIdentity)]).toEqual([items[0].id, SECRET, []]);
    });

    it('of the address is judged by the allowance there is', async () => {
      await expect(change({ url: 'https://10.0.0.1/mcp' })).rejects.toMatchObject({ code: 'url_refused' });
      await expect(change({ auth: { kind: 'oauth', issuer: 'https://10.0.0.1' } })).rejects.toMatchObject({ code: 'url_refused' });
      await change({ url: 'https://10.0.0.1/mcp', allowPrivateNetwork: true });
      expect(changes()).toEqual([{ url: 'https://10.0.0.1/mcp', allowPrivateNetwork: true }]);
    });

    it('does not give everybody a secret where each brings their own', async () => {
      services.answers.set(getServer.subject, () => ({ ...services.sample(getServer), identityMode: 'private-required' }));
      await expect(change({ auth: { kind: 'headers', headers: [key] } })).rejects.toMatchObject({ code: 'bad_request' });
      await change({ auth: { kind: 'headers', headers: [key] }, identityMode: 'private-or-global' });
      expect(changes().length).toBe(1);
    });

    it('that policy refuses changes no secret', async () => {
      services.answers.set(patchServer.subject, () => {
        throw new Refusal('precondition_failed');
      });
      await expect(change({ auth: { kind: 'headers', headers: [key] } })).rejects.toMatchObject({ code: 'precondition_failed' });
      expect(services.askedOf(createIdentity)).toEqual([]);
    });
  });

  it('destroys what a removed server had', async () => {
    await registration.remove({ actor, name: 'tools', revision: null });
    expect([services.askedOf(removeServer).length, services.askedOf(forgetUpstream), waited.length]).toEqual([1, [{ actor, serverId: services.sample(removeServer).id }], 1]);
  });
});
