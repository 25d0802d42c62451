import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { findServerBinary, serverLeg, startOauthUpstream, type OauthUpstream } from '@gatehouse/testing';
import { linkIn, LOCAL_ACCOUNTS, Member } from './identities/member.js';
import type { WireClient } from './wire/wire-client.js';
import { startDistributed, type DistributedWorld } from './world/distributed-world.js';
import { admin, eventually, servedEverywhere } from './world/world.js';

const CALLS = 200;
const LIMIT_MS = 60_000;
const EDGES = [0, 1] as const;

const missing = (['nats-server', 'redis-server', 'postgres'] as const).find((binary) => findServerBinary(binary) === undefined);

serverLeg(missing ?? 'nats-server', 'Tokens that end, five services', () => {
  let world: DistributedWorld;
  let upstream: OauthUpstream;
  beforeAll(async () => {
    world = await startDistributed({ auth: LOCAL_ACCOUNTS });
    upstream = await startOauthUpstream({ rotation: 'strict' });
    await admin(world).ok('POST', '/servers', { name: 'notes', url: upstream.url, allowPrivateNetwork: true });
    await eventually(async () => ((await admin(world).ok('GET', '/servers/notes')).health.verdict === 'sign_in' ? true : undefined));
    await servedEverywhere(world, 'notes');
  }, LIMIT_MS * 2);
  afterAll(async () => {
    await world?.stop();
    await upstream?.close();
  }, LIMIT_MS);

  /** Somebody who has connected an account there, and a session at each edge. */
  const connected = async (name: string): Promise<Connected> => {
    upstream.set({ user: `${name}@provider` });
    const member = await Member.join(world, name);
    await member.connect('notes');
    const [first, second] = await Promise.all(EDGES.map((edge) => opened(member, edge)));
    return {
      member,
      call: async (edge = 0) => (await [first, second][edge]!.call('whoami', {}, { edge })).messages,
      identity: async () => (await member.api().ok('GET', '/identities?server=notes')).items[0],
      isServed: async () => (JSON.stringify((await first!.call('whoami')).messages).includes(`${name}@provider`) ? true : undefined),
    };
  };

  it(`${CALLS} calls at once over two edges on a token that ended: one refresh at a server that rotates strictly, and every call succeeds`, async () => {
    const { call, identity } = await connected('Alice');
    upstream.expireAccessTokens();
    upstream.forget();
    const answers = await Promise.all(Array.from({ length: CALLS }, (_each, at) => call(at % EDGES.length)));
    expect(answers.map((messages) => JSON.stringify(messages)).filter((answer) => !answer.includes('Alice@provider'))).toEqual([]);
    expect(upstream.refreshes()).toBe(1);
    expect(await identity()).toMatchObject({ status: 'active', reason: null });
  }, LIMIT_MS);

  it('an authorization server that is away spoils nothing: what is left of the token is used, and the identity becomes active again', async () => {
    upstream.set({ accessTokenSeconds: 8 });
    const { identity, isServed } = await connected('Carol');
    for (const refresh of ['error-500', 'html'] as const) {
      upstream.set({ refresh });
      await eventually(async () => {
        expect(await isServed()).toBe(true);
        return (await identity()).status === 'retrying' ? true : undefined;
      }, 8_000);
      upstream.set({ refresh: 'ok' });
      await eventually(isServed, 20_000);
      await eventually(async () => ((await identity()).status === 'active' ? true : undefined), 20_000);
    }
    upstream.set({ accessTokenSeconds: 3_600 });
  }, LIMIT_MS);

  it('kill -9 of auth between the answer and the write: that account asks to be connected anew, none is silently broken', async () => {
    const [dan, eve] = [await connected('Dan'), await connected('Eve')];
    const auth = world.processes.find(({ app }) => app === 'auth')!;
    let kills = 0;
    upstream.set({
      tokenHook: async (moment, grantType) => {
        if (moment === 'decided' && grantType === 'refresh_token' && kills++ === 0) await auth.kill('SIGKILL');
      },
    });
    upstream.expireAccessTokens();
    expect(linkIn(await dan.call())).toBeUndefined();
    expect(kills).toBe(1);
    await auth.start();
    await auth.ready();
    const link = await eventually(async () => linkIn(await dan.call()), 30_000);
    // The server rotated and its answer is lost: nobody can know the new token.
    expect(await dan.identity()).toMatchObject({ status: 'needs_reauth', reason: 'refresh_lost' });
    upstream.set({ user: 'Dan@provider' });
    expect(await dan.member.follow(link)).toMatchObject({ status: 200 });
    await eventually(dan.isServed);
    await eventually(eve.isServed);
    expect([await dan.identity(), await eve.identity()].map(({ status }) => status)).toEqual(['active', 'active']);
  }, LIMIT_MS);
});

/** A person with an account at the server. */
interface Connected {
  member: Member;
  /** Calls a tool and gives the messages of the answer. */
  call(edge?: number): Promise<any[]>;
  identity(): Promise<any>;
  /** True when a call was made with this person's account. */
  isServed(): Promise<true | undefined>;
}

function opened(member: Member, edge: number): Promise<WireClient> {
  return eventually(async () => {
    const client = member.client('notes');
    const answer = await client.initialize('2025-11-25', { edge });
    return answer.status === 200 && linkIn(answer.messages) === undefined ? client : undefined;
  });
}
