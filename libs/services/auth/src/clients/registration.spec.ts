import { clientContracts, type Actor } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { AuthStage, until } from '../auth-stage.conformance.js';
import { Connecting, refreshTokenOf } from '../authorization-server/connecting.conformance.js';
import { sweepClients } from './client-sweep.js';
import { FIRST_SETTINGS, RegistrationSettings } from './registration-settings.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let actor: Actor;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  actor = await stage.administrator();
}, 60_000);
afterEach(() => desk.settings(FIRST_SETTINGS));
afterAll(() => stage.close(), 30_000);

const rule = (part: Partial<clientContracts.ClientRule>): clientContracts.ClientRule => ({ kind: 'any', host: '*', name: null, effect: 'deny', requireDpop: false, ...part });

async function accessToken(callerId: string, scopes: string[], more: { expiresAt?: number; revokedAt?: number } = {}): Promise<string> {
  const text = `ghp_test_${newId('token')}`;
  const digest = createHash('sha256').update(text).digest('base64url');
  await stage.db.query('INSERT INTO tokens (id, person_id, name, scopes, digest, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)', [
    newId('token'), callerId, 'registers', scopes, digest, more.expiresAt ?? null, more.revokedAt ?? null,
  ]);
  return text;
}

describe('clients that register themselves', () => {
  it('are given no token to manage a registration that nobody can manage', async () => {
    const { json } = await desk.post();
    expect(Object.keys(json).filter((member) => member.startsWith('registration_'))).toEqual([]);
  });

  it('may not where it is turned off', async () => {
    await desk.settings({ dynamic: 'off' });
    const { status, json, headers } = await desk.post();
    expect([status, json['error'], headers['cache-control']]).toEqual([403, 'access_denied', 'no-store']);
    expect(json['error_description']).toContain('ask an administrator');
  });

  it('may, where it takes a token, only with one that says so and whose holder is active', async () => {
    await desk.settings({ dynamic: 'token' });
    const bearer = (token: string) => desk.post({}, { authorization: `Bearer ${token}` });
    const gone = await stage.person('Gone');
    const goneToken = await accessToken(gone, ['clients:register']);
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [gone]);
    const refused = [
      await desk.post(),
      await bearer('guess'),
      await bearer(await accessToken(ada, ['mcp:access', 'admin'])),
      await bearer(await accessToken(ada, ['clients:register'], { expiresAt: stage.clock.now() - 1 })),
      await bearer(await accessToken(ada, ['clients:register'], { revokedAt: 5 })),
      await bearer(goneToken),
    ];
    expect(refused.map(({ status, json }) => [status, json['error']])).toEqual(refused.map(() => [401, 'invalid_token']));
    expect((await bearer(await accessToken(ada, ['clients:register']))).status).toBe(201);
  });

  it('are refused by a rule with a sentence, and leave no row', async () => {
    await desk.settings({ rules: [rule({ name: 'evil' })] });
    const { status, json } = await desk.post({ client_name: 'Evil tool' });
    expect([status, json['error'], json['error_description']]).toEqual([403, 'invalid_client_metadata', expect.stringContaining('administrator')]);
    const { items } = await stage.gateway.request(clientContracts.listClients, {});
    expect(items.filter(({ name }) => name === 'Evil tool')).toEqual([]);
    expect((await desk.post({ client_name: 'Good tool' })).status).toBe(201);
  });

  it('wait for approval where a rule says so, and connect when they have it', async () => {
    await desk.settings({ rules: [rule({ effect: 'review' })] });
    const client = await desk.registered();
    expect(await desk.shown(client.options.clientId)).toMatchObject({ status: 'waiting' });
    const browser = await desk.browser(ada, client);
    const page = await desk.ask(client, browser);
    expect([page.status, page.text.includes('Waiting for approval'), page.forms]).toEqual([403, true, []]);
    await stage.gateway.request(clientContracts.decideClient, { actor, id: client.options.clientId, status: 'allowed' });
    await desk.connected(ada, client);
  });

  it('must bind their tokens where a rule says so', async () => {
    await desk.settings({ rules: [rule({ effect: 'allow', requireDpop: true })] });
    const client = await desk.registered();
    expect(await desk.shown(client.options.clientId)).toMatchObject({ requireDpop: true });
    const { code } = await desk.consented(client, await desk.browser(ada, client));
    expect(await client.exchange(code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('may be answered at the schemes that are allowed, from the moment they are', async () => {
    const odd = { redirect_uris: ['oddball://callback'] };
    expect(await desk.post(odd)).toMatchObject({ status: 400, json: { error: 'invalid_redirect_uri' } });
    await desk.settings({ redirectSchemes: ['oddball'] });
    expect((await desk.post(odd)).status).toBe(201);
    expect((await desk.post({ redirect_uris: ['cursor://x/y'] })).status).toBe(400);
  });
});

describe('registration settings', () => {
  it.each([
    [{ redirectSchemes: ['javascript'] }], [{ redirectSchemes: ['data'] }], [{ redirectSchemes: ['http'] }],
    [{ privateHosts: ['https://inside.test'] }], [{ privateHosts: ['inside.test:8443'] }], [{ privateHosts: ['*'] }],
  ])('refuse %j', async (change) => {
    await expect(desk.settings(change)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('are kept in one spelling', async () => {
    expect((await desk.settings({ privateHosts: ['Inside.Test', 'inside.test'] })).privateHosts).toEqual(['inside.test']);
  });
});

describe('what is over', () => {
  const sweep = () => sweepClients({ db: stage.db, settings: new RegistrationSettings(stage.db, stage.clock), log: undefined as never, clock: stage.clock });
  const DAY = 86_400_000;

  it('is forgotten: unused registrations, never one with a live grant, and nothing too early', async () => {
    const [unused, denied, { client: used, tokens }] = [await desk.registered(), await desk.registered(), await desk.connected(ada)];
    await stage.gateway.request(clientContracts.decideClient, { actor, id: denied.options.clientId, status: 'denied' });
    await until('use is noted', async () => (await desk.shown(used.options.clientId))?.lastUsedAt !== null);
    // As if the note of its use had been lost: the grant alone must hold it.
    await stage.db.query('UPDATE clients SET used_at = NULL WHERE id = $1', [used.options.clientId]);
    await desk.settings({ unusedDays: 3 });
    stage.clock.advance(3 * DAY - 60_000);
    await sweep();
    expect(await desk.shown(unused.options.clientId)).toBeDefined();
    stage.clock.advance(120_000);
    await sweep();
    expect(await desk.shown(unused.options.clientId)).toBeUndefined();
    // Else it could register again as if nobody had said no.
    expect(await desk.shown(denied.options.clientId)).toBeDefined();
    expect((await used.refresh(refreshTokenOf(tokens))).status).toBe(200);
    const count = async () => Number((await stage.db.query<{ n: string }>('SELECT count(*) AS n FROM artefacts WHERE expires_at <= $1', [stage.clock.now()]))[0]!.n);
    stage.clock.advance(31 * DAY);
    expect(await count()).toBeGreaterThan(0);
    await sweep();
    expect(await count()).toBe(0);
  });

  it('is swept by one replica at a time', async () => {
    const outcomes = await stage.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [0x6761_7465]);
      return sweep();
    });
    expect(outcomes).toBe(false);
    expect(await sweep()).toBe(true);
  });
});
