import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../auth-stage.conformance.js';
import { IdentitiesStage } from './identities-stage.conformance.js';

const HOUR_MS = 3_600_000;

let stage: IdentitiesStage;

beforeAll(async () => {
  stage = await IdentitiesStage.start(3);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const person = (): Promise<string> => stage.auth.person('Ada');
/** The access tokens of a server have ended, here and there. */
const end = (zoo: { expireAccessTokens(): void }): void => {
  zoo.expireAccessTokens();
  stage.auth.clock.advance(HOUR_MS);
};

describe('an ended token', () => {
  it('is renewed once for 120 who ask at three replicas, six times over, and all can go on', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    for (let round = 1; round <= 6; round++) {
      end(at.zoo);
      const answers = await Promise.all(Array.from({ length: 120 }, () => stage.ask(row)));
      expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['fresh']));
      expect(at.zoo.refreshes()).toBe(round);
      expect(await stage.isTaken(at.zoo, row.id)).toBe(true);
    }
    const after = await stage.row(row.id);
    expect(after).toMatchObject({ status: 'active', tokenVersion: row.tokenVersion + 6, pendingRef: null, staleRefs: [] });
    expect([...stage.auth.neighbours.secrets.keys()].filter((id) => id === row.refreshRef)).toEqual([]);
  }, 60_000);

  it('is not asked for anew by who held an older one, nor while it has life enough', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    expect(await stage.ask(row, { cause: 'expiring' })).toEqual({ outcome: 'unchanged', reason: null });
    end(at.zoo);
    expect(await stage.ask(row)).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.ask(row, { cause: 'refused', version: 1 })).toEqual({ outcome: 'fresh', reason: null });
    expect(at.zoo.refreshes()).toBe(1);
  });

  it('of an account without a refresh token must be connected anew; before its end it is fine', async () => {
    const at = await stage.oauthServer({ rotation: 'no-refresh-token' });
    const row = await stage.connect(at, { owner: await person() });
    expect(await stage.ask(row, { cause: 'expiring' })).toEqual({ outcome: 'unchanged', reason: null });
    end(at.zoo);
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason: 'no_refresh_token' });
    expect(await stage.shownToEdges(row.id)).toMatchObject({ status: 'needs_reauth' });
    expect(at.zoo.refreshes()).toBe(0);
  });
});

describe('an authorization server that cannot be reached', () => {
  it.each(['error-500', 'too-many', 'html', 'cut'] as const)('(%s) never ends an account, is left alone for a while, and is asked again', async (refresh) => {
    const at = await stage.oauthServer({ refresh });
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    expect(await stage.ask(row)).toEqual({ outcome: 'retrying', reason: 'unreachable' });
    const asked = at.zoo.refreshes();
    expect(await stage.ask(row)).toEqual({ outcome: 'retrying', reason: 'unreachable' });
    expect(at.zoo.refreshes()).toBe(asked);
    expect(await stage.shownToEdges(row.id)).toMatchObject({ status: 'retrying' });
    stage.auth.clock.advance(48 * HOUR_MS);
    expect(await stage.ask(row)).toEqual({ outcome: 'retrying', reason: 'unreachable' });
    at.zoo.set({ refresh: 'ok' });
    stage.auth.clock.advance(HOUR_MS);
    expect(await stage.ask(row)).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.shownToEdges(row.id)).toMatchObject({ status: 'active' });
  });

  it('after it lost its own answer has used up the token: the account must be connected anew, and says so', async () => {
    const at = await stage.oauthServer({ refresh: 'answer-lost' });
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    expect(await stage.ask(row)).toMatchObject({ outcome: 'retrying' });
    at.zoo.set({ refresh: 'ok' });
    stage.auth.clock.advance(HOUR_MS);
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason: 'refresh_lost' });
  });
});

describe('a refusal of the refresh token', () => {
  it.each([
    ['invalid_grant', 'refresh_refused'],
    ['invalid_client', 'client_gone'],
  ] as const)('(%s) ends the account at once (%s)', async (refresh, reason) => {
    const at = await stage.oauthServer({ refresh });
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason });
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason });
    expect(await stage.shownToEdges(row.id)).toMatchObject({ status: 'needs_reauth' });
    await until('it is told', () => stage.events.some((event) => event.identityId === row.id && event.reason === reason && event.cause === 'refused'));
  });

  it('as invalid_request is believed the third time', async () => {
    const at = await stage.oauthServer({ refresh: 'invalid_request' });
    const row = await stage.connect(at, { owner: await person() });
    const outcomes: string[] = [];
    for (let time = 0; time < 3; time++) {
      end(at.zoo);
      outcomes.push((await stage.ask(row)).outcome);
    }
    expect(outcomes).toEqual(['retrying', 'retrying', 'dead']);
  });
});

describe('a refusal of the server', () => {
  const insufficient = 'Bearer error="insufficient_scope", scope="notes:write"';

  it('of a token with life left renews it; of the renewed one too, it ends the account', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    expect(await stage.ask(row, { cause: 'refused' })).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.ask(row, { cause: 'refused' })).toEqual({ outcome: 'unchanged', reason: null });
    stage.auth.clock.advance(1_500);
    expect(await stage.ask(row, { cause: 'refused' })).toEqual({ outcome: 'dead', reason: 'server_refused' });
    expect(at.zoo.refreshes()).toBe(1);
  });

  it('of a token that was taken before renews it, however often that happens', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    for (let time = 0; time < 3; time++) {
      expect(await stage.ask(row, { cause: 'refused', wasAccepted: true })).toEqual({ outcome: 'fresh', reason: null });
      stage.auth.clock.advance(1_500);
    }
    expect([at.zoo.refreshes(), (await stage.row(row.id)).status]).toEqual([3, 'active']);
  });

  it('for a scope that is missing is remembered until it is connected anew', async () => {
    const at = await stage.oauthServer();
    const owner = await person();
    const row = await stage.connect(at, { owner });
    expect(await stage.ask(row, { cause: 'refused', challenge: insufficient })).toEqual({ outcome: 'dead', reason: 'scope_missing' });
    expect(await stage.row(row.id)).toMatchObject({ wantedScopes: ['notes:write'], status: 'needs_reauth' });
    const again = await stage.connect(at, { owner });
    expect(again).toMatchObject({ id: row.id, status: 'active', reason: null, wantedScopes: [] });
    expect(at.zoo.refreshes()).toBe(0);
  });
});

describe('who dies while renewing', () => {
  it('is succeeded when its time is over', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    await stage.auth.db.query(`UPDATE identities SET lease_owner = 'dead', lease_until = clock_timestamp() + interval '1 second' WHERE id = $1`, [row.id]);
    const began = performance.now();
    expect(await stage.ask(row)).toEqual({ outcome: 'fresh', reason: null });
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('after the vault had the new refresh token has lost nothing', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    stage.auth.neighbours.beforeStore = (what) => {
      if (what === 'credential') throw new Error('nobody hears of this');
    };
    await expect(stage.ask(row)).rejects.toMatchObject({ code: 'internal' });
    stage.auth.neighbours.beforeStore = () => undefined;
    expect(await stage.ask(row)).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.isTaken(at.zoo, row.id)).toBe(true);
    expect((await stage.row(row.id)).staleRefs).toEqual([]);
  });

  it('before the vault had it leaves an account that asks to be connected anew, and no other', async () => {
    const at = await stage.oauthServer();
    const [row, other] = [await stage.connect(at, { owner: await person() }), await stage.connect(at, { owner: await person() })];
    end(at.zoo);
    stage.auth.neighbours.beforeStore = (what) => {
      if (what === 'secret') throw new Error('nobody hears of this');
    };
    await expect(stage.ask(row)).rejects.toMatchObject({ code: 'internal' });
    stage.auth.neighbours.beforeStore = () => undefined;
    expect(await stage.ask(row)).toEqual({ outcome: 'dead', reason: 'refresh_lost' });
    expect(await stage.ask(other)).toEqual({ outcome: 'fresh', reason: null });
  });
});

describe('new tokens', () => {
  it('wait for a vault that is away for a moment', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    end(at.zoo);
    const { Refusal } = await import('@gatehouse/kernel');
    let failures = 3;
    stage.auth.neighbours.beforeStore = () => {
      if (failures-- > 0) throw new Refusal('vault_unavailable');
    };
    expect(await stage.ask(row)).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.isTaken(at.zoo, row.id)).toBe(true);
    stage.auth.neighbours.beforeStore = () => undefined;
  });

  it('come ahead of the end, once over all replicas', async () => {
    const at = await stage.oauthServer();
    const row = await stage.connect(at, { owner: await person() });
    stage.auth.clock.advance(0.85 * HOUR_MS);
    await until('the account is renewed', async () => (await stage.row(row.id)).tokenVersion > row.tokenVersion, 15_000);
    expect(at.zoo.refreshes()).toBe(1);
    await until('it is told', () => stage.events.some((event) => event.identityId === row.id && event.cause === 'refreshed'));
  }, 30_000);

  it('and the old ones are in no log, event, row or message', () => {
    const seen = [...stage.auth.logLines, ...stage.auth.neighbours.heard, JSON.stringify(stage.events)].join('');
    expect(seen.length).toBeGreaterThan(10_000);
    for (const held of stage.auth.neighbours.credentials.values()) for (const [, value] of held.headers) expect(seen).not.toContain(value.replace('Bearer ', ''));
  });
});
