import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HandOverStage } from './hand-over-stage.conformance.js';

let stage: HandOverStage;

beforeAll(async () => {
  // Ended from the first moment on, as far as handing on is concerned.
  stage = await HandOverStage.start({ idTokenSeconds: 25, refreshTokens: true });
}, 60_000);
afterAll(() => stage.close(), 30_000);

const refreshes = (): number => stage.idp.requests().filter(({ path }) => path === '/token').length;

describe('a sign-in whose id_token is about to end', () => {
  it('is renewed at the provider each time, with the token of the time before', async () => {
    const servers = [await stage.server('id_jag'), await stage.server('id_jag'), await stage.server('token_exchange', {}, { subjectToken: 'identity-provider' })];
    const { personId } = await stage.signIn('ada');
    for (const at of servers) expect(await stage.whoami(at, await stage.obtain(at, personId))).toContain('ada');
    expect(stage.keptTokens()).toHaveLength(1);
  });

  it('is renewed one at a time: a used refresh token would end it', async () => {
    const servers = await Promise.all(Array.from({ length: 4 }, () => stage.server('id_jag')));
    const { personId } = await stage.signIn('bob');
    const got = await Promise.all(servers.map((at) => stage.obtain(at, personId)));
    expect(got.map(({ problem }) => problem)).toEqual([null, null, null, null]);
  });

  it('goes on with the newest tokens when whoever renewed it died before it was told', async () => {
    const [first, second] = [await stage.server('id_jag'), await stage.server('id_jag')];
    const { personId } = await stage.signIn('eve');
    const { db, neighbours } = stage.identities.auth;
    neighbours.beforeStore = async () => {
      await db.query(`UPDATE kept_sign_ins SET lease_owner = 'another', lease_until = now() - interval '1 second' WHERE person_id = $1`, [personId]);
    };
    expect((await stage.obtain(first, personId)).problem).toBeNull();
    neighbours.beforeStore = () => undefined;
    // The refresh token before is used up at the provider, and they have no other sign-in.
    expect(await stage.whoami(second, await stage.obtain(second, personId))).toContain('eve');
  });

  it('leaves nothing in the vault when it ends while tokens are stored', async () => {
    const { db, neighbours } = stage.identities.auth;
    const at = await stage.server('id_jag');
    const { personId } = await stage.signIn('ada');
    const before = stage.keptTokens().length;
    const forget = async (): Promise<void> => void (await db.query('DELETE FROM kept_sign_ins WHERE session_hash = (SELECT session_hash FROM kept_sign_ins WHERE person_id = $1 ORDER BY created_at DESC LIMIT 1)', [personId]));
    neighbours.beforeStore = (what) => (what === 'secret' ? forget() : undefined);
    await stage.signIn('ada');
    expect(stage.keptTokens()).toHaveLength(before);
    await stage.obtain(at, personId);
    neighbours.beforeStore = () => undefined;
    expect(stage.keptTokens()).toHaveLength(before - 1);
  });

  it('ends when the provider refuses: nothing is asked of it again until the person signs in', async () => {
    const at = await stage.server('id_jag');
    const { personId } = await stage.signIn('eve');
    stage.idp.disable('eve');
    expect((await stage.obtain(at, personId)).problem).toContain('/login?fresh=1');
    const before = refreshes();
    const other = await stage.server('id_jag');
    expect((await stage.obtain(other, personId)).problem).toContain('/login?fresh=1');
    expect(refreshes()).toBe(before);
  });

  it('waits for a provider that is away, and ends nothing', async () => {
    const at = await stage.server('id_jag');
    const { personId } = await stage.signIn('ada');
    const { identityId } = await stage.obtain(at, personId);
    stage.idp.misbehave('token-500');
    expect(await stage.identities.ask({ id: identityId! }, { cause: 'restarted' })).toMatchObject({ outcome: expect.not.stringMatching(/dead/) });
    expect(await stage.identities.row(identityId!)).toMatchObject({ status: 'retrying' });
  });
});
