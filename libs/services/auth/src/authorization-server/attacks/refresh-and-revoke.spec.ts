import { authContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthStage } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting, refreshTokenOf } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
}, 60_000);
afterAll(() => stage.close(), 30_000);

describe('a refresh token', () => {
  it('changes with every use', async () => {
    const { client, tokens } = await desk.connected(ada);
    const seen = new Set([refreshTokenOf(tokens)]);
    let held = refreshTokenOf(tokens);
    for (let turn = 0; turn < 5; turn++) seen.add((held = refreshTokenOf(await client.refresh(held))));
    expect(seen.size).toBe(6);
  });

  it('may come again at once, three times and no more', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    const first = refreshTokenOf(tokens);
    const statuses = [];
    for (let turn = 0; turn < 5; turn++) statuses.push((await client.refresh(first)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 400]);
    expect(await desk.denied()).toContain(gid);
  });

  it('fifty at once: four get through, and the family is over', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    const all = await Promise.all(Array.from({ length: 50 }, () => client.refresh(refreshTokenOf(tokens))));
    const won = all.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(4);
    expect(await desk.denied()).toContain(gid);
    for (const answer of won) expect((await client.refresh(refreshTokenOf(answer))).status).toBe(400);
  });

  it('of a confidential client never comes again', async () => {
    const { client } = await desk.preRegistered();
    const { tokens, gid } = await desk.connected(ada, client);
    const second = await client.refresh(refreshTokenOf(tokens));
    expect(second.status).toBe(200);
    expect((await client.refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
    expect((await client.refresh(refreshTokenOf(second))).json['error']).toBe('invalid_grant');
    expect(await desk.denied()).toContain(gid);
  });

  it('is worth nothing to another client, and that ends nothing', async () => {
    const { client, tokens } = await desk.connected(ada);
    expect((await (await desk.registered()).refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('gives no scope that was not granted', async () => {
    const { client, tokens } = await desk.connected(ada);
    expect((await client.refresh(refreshTokenOf(tokens), { scope: 'mcp:access admin' })).json['error']).toBe('invalid_scope');
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('of a person who is disabled is over, and stays so when they come back', async () => {
    const bob = await stage.person('Bob');
    const { client, tokens } = await desk.connected(bob);
    const actor = await stage.administrator();
    await stage.gateway.request(authContracts.disablePerson, { actor, personId: bob });
    expect((await client.refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
    await stage.gateway.request(authContracts.enablePerson, { actor, personId: bob });
    expect((await client.refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
  });
});

describe('giving back', () => {
  it('a refresh token ends the grant and its access tokens', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    expect((await client.revoke(refreshTokenOf(tokens))).status).toBe(200);
    expect((await client.refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
    expect(await desk.denied()).toContain(gid);
  });

  it('the refresh token of another client does nothing, and says nothing', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    const stranger = await desk.registered();
    expect((await stranger.revoke(refreshTokenOf(tokens))).status).toBe(200);
    expect(await desk.denied()).not.toContain(gid);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('an access token: a confidential client must prove who it is, and then can', async () => {
    const { client, shown } = await desk.preRegistered();
    const { tokens } = await desk.connected(ada, client);
    const { jti } = decodeJwt(accessTokenOf(tokens));
    expect((await desk.client({ clientId: shown.id }).revoke(accessTokenOf(tokens))).status).toBe(401);
    expect((await desk.client({ clientId: shown.id, secret: 'guess' }).revoke(accessTokenOf(tokens))).status).toBe(401);
    expect(await desk.denied()).not.toContain(jti);
    expect((await client.revoke(accessTokenOf(tokens))).status).toBe(200);
    expect(await desk.denied()).toContain(jti);
  });

  it('nonsense is taken, and nothing happens', async () => {
    const client = await desk.registered();
    expect((await client.revoke('nonsense')).status).toBe(200);
    expect((await client.revoke('a.b.c')).status).toBeLessThan(500);
    expect((await desk.client({ clientId: 'dcr_unknown' }).revoke('nonsense')).status).toBe(401);
  });
});

describe('a connection', () => {
  it('lives for two weeks of silence, long after the browser forgot the sign-in', async () => {
    const { client, tokens } = await desk.connected(ada);
    stage.clock.advance(13 * 86_400_000);
    const second = await client.refresh(refreshTokenOf(tokens));
    expect(second.status).toBe(200);
    stage.clock.advance(15 * 86_400_000);
    expect((await client.refresh(refreshTokenOf(second))).json['error']).toBe('invalid_grant');
  });
});
