import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { api } from '@gatehouse/contracts';
import { newId, Refusal } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import { Neighbours } from '../neighbours.conformance.js';
import { ServerRegistration } from './server-registration.js';

const actor = { callerId: newId('person'), tokenId: newId('token') };
const SECRET = 'canary-secret-of-the-server';

const bodyOf = (body: object) => api.serverBody.parse({ name: 'tools', url: 'https://mcp.example/mcp', ...body });
const withHeaders = (...headers: object[]) => bodyOf({ auth: { kind: 'headers', headers } });

describe('ServerRegistration', () => {
  let neighbours: Neighbours;
  let registration: ServerRegistration;
  const outbound = new Outbound();

  beforeEach(async () => {
    neighbours = new Neighbours();
    await neighbours.serve(['vault', 'policy']);
    registration = new ServerRegistration(neighbours.bus('gateway'), outbound);
  });

  afterEach(() => neighbours.close());

  it('gives the secrets to the vault, bound to server and origin, and everything else to policy', async () => {
    const server = await registration.add(withHeaders({ name: 'X-Api-Key', value: SECRET, secret: true }, { name: 'X-Region', value: 'eu' }), actor);
    expect(neighbours.credentials.get(server.identityId!)).toEqual([['X-Api-Key', SECRET]]);
    expect(neighbours.stored).toMatchObject([{ identityId: server.identityId, serverId: server.id, origin: 'https://mcp.example', owner: 'global' }]);
    expect(neighbours.added).toMatchObject([{ actor, server: { headers: [['X-Region', 'eu']], secretHeaders: ['X-Api-Key'], identityMode: 'global' } }]);
    expect(JSON.stringify([neighbours.added, neighbours.stored, server])).not.toContain(SECRET);
  });

  it('asks the vault for nothing when there is no secret', async () => {
    const server = await registration.add(withHeaders({ name: 'X-Region', value: 'eu' }), actor);
    expect([neighbours.stored, server.identityMode, server.identityId]).toEqual([[], 'none', null]);
  });

  it('takes address and name from the catalogue, unless another name is given', async () => {
    neighbours.catalogue.set('notion', 'https://mcp.notion.com/mcp');
    const { name, url } = await registration.add(bodyOf({ name: undefined, url: undefined, catalogue: 'notion' }), actor);
    expect([name, url, (await registration.add(bodyOf({ url: undefined, catalogue: 'notion', name: 'ours' }), actor)).name]).toEqual(['notion', 'https://mcp.notion.com/mcp', 'ours']);
    await expect(registration.add(bodyOf({ url: undefined, catalogue: 'nowhere' }), actor)).rejects.toMatchObject({ code: 'not_found' });
    for (const both of [{ url: undefined }, { catalogue: 'notion' }]) await expect(registration.add(bodyOf(both), actor)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('destroys the secrets again when policy refuses', async () => {
    neighbours.refuseServers = new Refusal('conflict', { name: 'tools' });
    await expect(registration.add(withHeaders({ name: 'X-Api-Key', value: SECRET, secret: true }), actor)).rejects.toMatchObject({ code: 'conflict', details: { name: 'tools' } });
    expect(neighbours.destroyed).toEqual([neighbours.stored[0]!.identityId]);
    expect(neighbours.credentials.size).toBe(0);
  });

  it.each([
    ['a private address', bodyOf({ url: 'https://10.0.0.1/' }), 'url_refused'],
    ['the metadata service', bodyOf({ url: 'http://169.254.169.254/', allowPrivateNetwork: true }), 'url_refused'],
    ['a line break in a value', withHeaders({ name: 'X-Key', value: 'a\r\nHost: evil.example', secret: true }), 'header_refused'],
    ['NUL in a value', withHeaders({ name: 'X-Key', value: 'a\0b', secret: true }), 'header_refused'],
    ['a value beyond Latin-1', withHeaders({ name: 'X-Key', value: 'k\u0119y', secret: true }), 'header_refused'],
    ['a header twice', withHeaders({ name: 'X-Key', value: 'aaaaaaaa', secret: true }, { name: 'x-KEY', value: 'b' }), 'header_refused'],
    ['an identity that nothing stands for', bodyOf({ identityMode: 'global' }), 'bad_request'],
    ['a secret that nobody sends', bodyOf({ identityMode: 'none', auth: { kind: 'headers', headers: [{ name: 'X-Key', value: SECRET, secret: true }] } }), 'bad_request'],
  ])('refuses %s before anybody is asked', async (_what, body, code) => {
    await expect(registration.add(body, actor)).rejects.toMatchObject({ code });
    expect([neighbours.stored, neighbours.added]).toEqual([[], []]);
  });

  it('registers nothing when the vault is not there', async () => {
    const alone = new Neighbours();
    await alone.serve(['policy']);
    const without = new ServerRegistration(alone.bus('gateway'), outbound);
    await expect(without.add(withHeaders({ name: 'X-Api-Key', value: SECRET, secret: true }), actor)).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(alone.added).toEqual([]);
    await alone.close();
  });
});
