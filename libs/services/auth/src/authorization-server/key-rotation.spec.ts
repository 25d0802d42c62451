import { clientContracts, type directoryContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import type { OAuthAnswer } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Outbox } from '@gatehouse/persistence';
import { createLogger } from '@gatehouse/telemetry';
import { AuthStage } from '../auth-stage.conformance.js';
import { DirectoryChanges } from '../directory/directory-changes.js';
import { accessTokenOf, Connecting, refreshTokenOf } from './connecting.conformance.js';
import { isDue, KeyRotation } from './key-rotation.js';
import { SigningKeys, type PublicSigningKey } from './signing-keys.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let second: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  second = `http://127.0.0.1:${(await stage.addReplica()).port}`;
}, 60_000);
afterAll(() => stage.close(), 30_000);

const rotate = async (retireNow = false) => stage.gateway.request(clientContracts.rotateSigningKey, { actor: await stage.administrator(), retireNow });

function verified(token: string, { keys }: directoryContracts.Directory) {
  const set = createLocalJWKSet({ keys: keys.map(({ id, jwk }) => ({ ...jwk, kid: id, alg: 'ES256' })) });
  return jwtVerify(token, set, { issuer: stage.origin, audience: desk.notes, currentDate: new Date(stage.clock.now()) });
}

/** A client that talks to one replica only. */
const at = (replica: string, clientId: string) => desk.client({ clientId, resolve: () => replica });

describe('keys of access tokens', () => {
  it('are listed: the active one, the next one, and those whose tokens may still live', async () => {
    const { items } = await rotate();
    expect(items.map(({ state }) => state)).toEqual(['active', 'next', 'retired']);
    expect((await stage.gateway.request(clientContracts.listSigningKeys, {})).items.map(({ id }) => id).sort()).toEqual(items.map(({ id }) => id).sort());
    const published = (await desk.client().get('/jwks')).json['keys'] as { kid: string; d?: string }[];
    expect(published.every(({ d }) => d === undefined)).toBe(true);
  });

  it('change under load in two replicas: nobody is refused, every token verifies at that moment', async () => {
    const chains = await Promise.all(Array.from({ length: 8 }, () => desk.connected(ada)));
    let refused = 0;
    let verifiedTokens = 0;
    const used = new Set<string>();
    const look = async (answer: OAuthAnswer): Promise<string> => {
      if (answer.status !== 200) refused++;
      else used.add(String((await verified(accessTokenOf(answer), await stage.directory())).protectedHeader.kid));
      verifiedTokens++;
      return refreshTokenOf(answer);
    };
    const run = async (index: number): Promise<void> => {
      let held = refreshTokenOf(chains[index]!.tokens);
      const { clientId } = chains[index]!.client.options;
      for (let turn = 0; turn < 25; turn++) held = await look(await at(turn % 2 === 0 ? stage.origin : second, clientId).refresh(held));
    };
    const rotations = (async () => {
      for (let turn = 0; turn < 3; turn++) {
        await rotate();
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    await Promise.all([...chains.map((_chain, index) => run(index)), rotations]);
    expect({ refused, verifiedTokens }).toEqual({ refused: 0, verifiedTokens: 200 });
    expect(used.size).toBeGreaterThanOrEqual(3);
  }, 120_000);

  it('one that was lost: its tokens end at once, and no replica signs with it once more', async () => {
    const { tokens, client } = await desk.connected(ada);
    const before = accessTokenOf(tokens);
    await verified(before, await stage.directory());
    const { directory } = await rotate(true);
    const held = await stage.directory();
    expect(held.version).toBe(directory.version);
    await expect(verified(before, held)).rejects.toThrow();
    const again = await at(second, client.options.clientId).refresh(refreshTokenOf(tokens));
    expect(again.status).toBe(200);
    await verified(accessTokenOf(again), held);
    expect((await stage.directory()).version).toBe(directory.version);
  });

  it('change again when another replica did a moment ago', async () => {
    const replica = (): KeyRotation => {
      const keys = new SigningKeys(stage.neighbours.bus('auth'), stage.db, new DirectoryChanges(stage.db, new Outbox(stage.db, async () => undefined), () => undefined));
      const log = createLogger({ service: 'auth', level: 'error', destination: { write: () => undefined } });
      return new KeyRotation({ keys, server: { reload: async () => void (await keys.load()) }, log, clock: stage.clock });
    };
    const [one, other, by] = [replica(), replica(), await stage.administrator()];
    const seen = [];
    for (const each of [one, other, one]) seen.push((await each.rotate(by, false)).items[0]!.id);
    expect(new Set(seen).size).toBe(3);
  });

  it('changes by itself after thirty days, once, however many replicas look', async () => {
    const changes = new DirectoryChanges(stage.db, new Outbox(stage.db, async () => undefined), () => undefined);
    const replicas = Array.from({ length: 3 }, () => {
      const keys = new SigningKeys(stage.neighbours.bus('auth'), stage.db, changes);
      const log = createLogger({ service: 'auth', level: 'error', destination: { write: () => undefined } });
      return { keys, rotation: new KeyRotation({ keys, server: { reload: async () => void (await keys.load()) }, log, clock: stage.clock }) };
    });
    await Promise.all(replicas.map(({ keys }) => keys.load()));
    const active = (): string => stage.neighbours.tokenKeys[0]!.id;
    const [first, next] = stage.neighbours.tokenKeys.map(({ id }) => id);
    await Promise.all(replicas.map(({ rotation }) => rotation.look()));
    expect(active()).toBe(first);
    stage.clock.advance(30 * 86_400_000 + 3_600_000);
    await Promise.all(replicas.map(({ rotation }) => rotation.look()));
    expect(active()).toBe(next);
    stage.clock.advance(-30 * 86_400_000 - 3_600_000);
  });

  it('without a vault the replica that cannot follow gives no token by a key that nobody accepts', async () => {
    const { tokens, client } = await desk.connected(ada);
    stage.neighbours.rotateTokenKeys(true);
    await stage.db.query('DELETE FROM signing_keys');
    stage.neighbours.trouble = new (await import('@gatehouse/kernel')).Refusal('service_unavailable');
    const refused = await client.refresh(refreshTokenOf(tokens));
    expect(refused).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } });
    stage.neighbours.trouble = undefined;
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });
});

describe('a key is changed after thirty days of signing', () => {
  const at = (ms: number) => newId('key', { now: () => ms, monotonicMs: () => 0 });
  const keys = (active: number, next: number): PublicSigningKey[] =>
    ([['active', active], ['next', next]] as const).map(([state, ms]) => ({ id: at(ms), state, publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }, retiredAt: null }));
  const DAY = 86_400_000;

  it('counted from when it began to sign, not from when it was made', () => {
    // Made on day 0, signing since day 30, when the next one was made.
    expect(isDue(keys(0, 30 * DAY), 31 * DAY)).toBe(false);
    expect(isDue(keys(0, 30 * DAY), 60 * DAY - 1)).toBe(false);
    expect(isDue(keys(0, 30 * DAY), 60 * DAY)).toBe(true);
    expect(isDue([], 60 * DAY)).toBe(false);
  });
});
