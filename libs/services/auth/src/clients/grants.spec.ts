import { clientContracts, type Actor } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage, until } from '../auth-stage.conformance.js';
import { Connecting, refreshTokenOf } from '../authorization-server/connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let bob: string;
let actor: Actor;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  bob = await stage.person('Bob');
  actor = await stage.administrator();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const list = async (callerId: string | null) => (await stage.gateway.request(clientContracts.listGrants, { callerId })).items;
const revoke = (id: string, ownedBy: string | null) => stage.gateway.request(clientContracts.revokeGrant, { actor, id, ownedBy });

describe('grants', () => {
  it('say who gave whom what, and when it was used last, to the minute', async () => {
    const client = await desk.registered({ client_name: 'Notes helper' });
    const { gid, tokens } = await desk.connected(ada, client);
    const seen = async () => (await list(ada)).find(({ id }) => id === gid);
    await until('first use is noted', async () => (await seen())?.lastUsedAt !== null);
    const usedAt = stage.clock.now();
    expect(await seen()).toMatchObject({
      callerId: ada, callerName: 'Ada', clientId: client.options.clientId, clientName: 'Notes helper',
      resources: [desk.notes], scopes: ['mcp:access'], lastUsedAt: usedAt, expiresAt: expect.any(Number),
    });
    const second = await client.refresh(refreshTokenOf(tokens));
    stage.clock.advance(61_000);
    await client.refresh(refreshTokenOf(second));
    await until('a use a minute later is noted', async () => (await seen())?.lastUsedAt === usedAt + 61_000);
  });

  it('are listed for one caller or for all', async () => {
    const [one, other] = [await desk.connected(ada), await desk.connected(bob)];
    const ids = async (callerId: string | null) => (await list(callerId)).map(({ id }) => id);
    expect(await ids(bob)).toEqual([other.gid]);
    expect(await ids(null)).toEqual(expect.arrayContaining([one.gid, other.gid]));
  });

  it('end when their owner says so: no refresh, and edges refuse what is out', async () => {
    const { gid, client, tokens } = await desk.connected(ada);
    const { directory } = await revoke(gid, ada);
    const held = await stage.directory();
    expect([held.version, held.denied.map(({ id }) => id).includes(gid)]).toEqual([directory.version, true]);
    expect(await client.refresh(refreshTokenOf(tokens))).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect((await list(ada)).map(({ id }) => id)).not.toContain(gid);
  });

  it('of somebody else are unknown', async () => {
    const { gid, client, tokens } = await desk.connected(ada);
    await expect(revoke(gid, bob)).rejects.toMatchObject({ code: 'not_found' });
    await expect(revoke('unknown', null)).rejects.toMatchObject({ code: 'not_found' });
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
    await revoke(gid, null);
    await expect(revoke(gid, null)).rejects.toMatchObject({ code: 'not_found' });
  });
});
