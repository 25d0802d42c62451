import { createHash, generateKeyPairSync } from 'node:crypto';
import { accessContracts, authContracts } from '@gatehouse/contracts';
import { newId, openSealed } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld, knows } from '../auth-world.conformance.js';
import type { WantedAuth } from './service-account-client.js';

let world: AuthWorld;
let count = 0;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

const refused = (code: string, details: object = {}): object => expect.objectContaining({ code, details: expect.objectContaining(details) });
const jwks = { keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'one' } as Record<string, string>] };

interface Wish {
  name?: string;
  roles?: string[];
  auth?: WantedAuth;
  by?: { callerId: string; tokenId: null };
}

async function make({ name = `agent ${++count}`, roles = ['member'], auth = { method: 'secret' }, by }: Wish = {}) {
  const actor = by ?? (await world.admin());
  return world.gateway.request(accessContracts.createServiceAccount, { actor, name, roles, teams: ['agents'], auth, edgeKey: world.edge.publicKey });
}

async function replace(id: string, auth: WantedAuth, by?: Wish['by']) {
  const actor = by ?? (await world.admin());
  return world.gateway.request(accessContracts.replaceServiceAccountAuth, { actor, id, auth, edgeKey: world.edge.publicKey });
}

const opened = (id: string, sealed: string | null): string => openSealed(world.edge, sealed!, accessContracts.clientSecretContext(id)).toString();
const metadata = async (id: string): Promise<Record<string, unknown> | undefined> =>
  (await world.db.query<{ metadata: Record<string, unknown> }>(`SELECT metadata FROM clients WHERE id = $1 AND kind = 'service-account' AND status = 'allowed'`, [id]))[0]?.metadata;
const deniedIds = async (): Promise<string[]> => (await world.directory()).denied.map(({ id }) => id);

describe('a service account', () => {
  it('is a caller of its own kind and an OAuth client whose secret only its digest is kept of', async () => {
    const { serviceAccount, sealedSecret, directory } = await make({ roles: ['operator'] });
    const secret = opened(serviceAccount.id, sealedSecret);
    expect(secret).toMatch(/^ghs_gatehouse_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/);
    expect(serviceAccount).toMatchObject({ auth: 'secret', secretAt: world.clock.now(), status: 'active', teams: ['agents'] });
    expect(await metadata(serviceAccount.id)).toEqual({
      client_id: serviceAccount.id,
      client_name: serviceAccount.name,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: `sha256:${createHash('sha256').update(secret).digest('base64url')}`,
      gh_generation: 1,
    });
    expect((await world.directory()).version).toBe(directory.version);
    expect(await world.caller(serviceAccount.id)).toMatchObject({ kind: 'service_account', email: null, roles: ['operator'], teams: ['agents'] });
    expect((await world.gateway.request(accessContracts.listServiceAccounts, {})).items).toContainEqual(serviceAccount);
    expect((await world.gateway.request(authContracts.listPeople, {})).items.some(({ id }) => id === serviceAccount.id)).toBe(false);
    expect(world.logLines.join('')).not.toContain(secret);
    expect(JSON.stringify(await world.db.query('SELECT c::text FROM clients c'))).not.toContain(secret);
  });

  it('may prove itself by a key of its own, or by nothing', async () => {
    const byKey = await make({ auth: { method: 'private_key_jwt', jwks } });
    expect(byKey).toMatchObject({ sealedSecret: null, serviceAccount: { auth: 'private_key_jwt', secretAt: null } });
    expect(await metadata(byKey.serviceAccount.id)).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kid: 'one', use: 'sig' }] } });
    const byNothing = await make({ auth: { method: 'none' } });
    expect(byNothing).toMatchObject({ sealedSecret: null, serviceAccount: { auth: 'none' } });
    expect(await metadata(byNothing.serviceAccount.id)).toBeUndefined();
  });

  it('is refused with a taken name, an unknown role, a bad edge key, or beyond what the actor holds', async () => {
    const { serviceAccount } = await make();
    await expect(make({ name: serviceAccount.name.toUpperCase() })).rejects.toEqual(refused('conflict', { field: 'name' }));
    await expect(make({ roles: ['nobody-knows'] })).rejects.toEqual(refused('bad_request', { role: 'nobody-knows' }));
    const asked = { actor: await world.admin(), name: 'x', roles: ['member'], teams: [], auth: { method: 'secret' as const }, edgeKey: 'short' };
    await expect(world.gateway.request(accessContracts.createServiceAccount, asked)).rejects.toEqual(refused('bad_request', { field: 'edgeKey' }));
    const security = await world.actor(['security']);
    const by = { callerId: security.callerId, tokenId: null };
    const { id } = (await make({ roles: ['operator'] })).serviceAccount;
    await expect(make({ roles: ['operator'], by })).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    await expect(replace(id, { method: 'secret' }, by)).rejects.toEqual(refused('capability_missing'));
    await expect(world.gateway.request(accessContracts.disableServiceAccount, { actor: by, id })).rejects.toEqual(refused('capability_missing'));
    await expect(replace(newId('service_account'), { method: 'none' })).rejects.toEqual(refused('not_found'));
  });

  it('may have personal access tokens too', async () => {
    const { id } = (await make({ auth: { method: 'none' } })).serviceAccount;
    const { text, token } = await world.token(id);
    expect(token.callerId).toBe(id);
    expect(knows(await world.directory(), text)).toBe(true);
  });
});

describe('a new proof', () => {
  it('ends the old one and every access token that it got, and its number never comes again', async () => {
    const { serviceAccount: { id }, sealedSecret } = await make();
    const second = await replace(id, { method: 'secret' });
    expect(opened(id, second.sealedSecret)).not.toBe(opened(id, sealedSecret));
    expect(await deniedIds()).toEqual([`${id}-1`]);
    expect(await metadata(id)).toMatchObject({ gh_generation: 2, client_secret: `sha256:${createHash('sha256').update(opened(id, second.sealedSecret)).digest('base64url')}` });
    await replace(id, { method: 'none' });
    expect(await metadata(id)).toBeUndefined();
    const fourth = await replace(id, { method: 'private_key_jwt', jwks });
    expect(fourth.serviceAccount).toMatchObject({ auth: 'private_key_jwt', secretAt: null });
    expect((await metadata(id))!).toMatchObject({ gh_generation: 4 });
    expect((await metadata(id))!).not.toHaveProperty('client_secret');
    expect(await deniedIds()).toEqual(expect.arrayContaining([`${id}-1`, `${id}-2`]));
    expect(await deniedIds()).not.toContain(`${id}-4`);
  });

  it('of two that are asked for at once is one after the other', async () => {
    const { id } = (await make()).serviceAccount;
    const both = await Promise.all([replace(id, { method: 'secret' }), replace(id, { method: 'secret' })]);
    expect(await metadata(id)).toMatchObject({ gh_generation: 3 });
    expect(await deniedIds()).toEqual(expect.arrayContaining([`${id}-1`, `${id}-2`]));
    const digests = both.map(({ sealedSecret }) => `sha256:${createHash('sha256').update(opened(id, sealedSecret)).digest('base64url')}`);
    expect(digests).toContain((await metadata(id))!['client_secret']);
  });
});

describe('a service account that is disabled', () => {
  it('is over for good with its client, its tokens and its access tokens', async () => {
    const { id } = (await make()).serviceAccount;
    const { text } = await world.token(id);
    const asked = { actor: await world.admin(), id };
    const reply = await world.gateway.request(accessContracts.disableServiceAccount, asked);
    expect(reply.serviceAccount).toMatchObject({ status: 'disabled', auth: 'none' });
    const directory = await world.directory();
    expect(directory.version).toBe(reply.directory.version);
    expect(directory.callers.some((caller) => caller.id === id)).toBe(false);
    expect(directory.denied.map((denied) => denied.id)).toContain(`${id}-1`);
    expect(knows(directory, text)).toBe(false);
    expect(await metadata(id)).toBeUndefined();
    expect(await world.gateway.request(accessContracts.disableServiceAccount, asked)).toEqual(reply);
    await expect(replace(id, { method: 'secret' })).rejects.toEqual(refused('bad_request', { problem: 'is disabled' }));
    await expect(world.token(id)).rejects.toEqual(refused('bad_request'));
  });
});
