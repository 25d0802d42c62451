import { describe, expect, it } from '@jest/globals';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { Refusal } from '@gatehouse/kernel';
import { TestClock } from '@gatehouse/testing';
import { initializeParams, RememberedInitialize } from './remembered-initialize.js';
import { newKey, opened } from './sample-session.conformance.js';
import { UpstreamSessions } from './upstream-sessions.js';
import type { UpstreamSession } from './upstream-session.js';

const KEY = newKey('key_session');
const PARAMS = { protocolVersion: '2025-11-25', capabilities: { roots: { listChanged: true } }, clientInfo: { name: 'editor', title: 'An editor', version: '1.0' } };
const OPENED: UpstreamSession = { upstreamId: 'given', protocolVersion: '2025-06-18' };

/** The store while it cannot be reached. */
const DOWN: Ephemeral = {
  ...memoryEphemeral(),
  ...Object.fromEntries(['get', 'set', 'setIfAbsent', 'take', 'delete'].map((name) => [name, () => Promise.reject(new Refusal('service_unavailable'))])),
};
const edges = (store: Ephemeral, count = 2) => Array.from({ length: count }, () => new UpstreamSessions(store, () => [KEY], new TestClock()));

/** Opens after a moment, and counts. */
class Opener {
  times = 0;
  readonly open = async (): Promise<UpstreamSession> => {
    this.times += 1;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return OPENED;
  };
}

describe('UpstreamSessions', () => {
  it('opens one session for all calls of all edges', async () => {
    const [session, opener] = [opened(KEY), new Opener()];
    const [one, two] = edges(memoryEphemeral());
    const got = await Promise.all([one, two, one, two].map((edge) => edge!.of(session, 'idn_a', opener.open)));
    expect([got, opener.times]).toEqual([Array(4).fill(OPENED), 1]);
    expect([one!.known(session, 'idn_a'), two!.known(session, 'idn_a')]).toEqual([OPENED, OPENED]);
  });

  it('opens another one for another identity, and for another session', async () => {
    const [session, other, opener] = [opened(KEY), opened(KEY), new Opener()];
    const [edge] = edges(memoryEphemeral());
    await edge!.of(session, 'idn_a', opener.open);
    await edge!.of(session, 'idn_b', opener.open);
    await edge!.of(other, 'idn_a', opener.open);
    expect([opener.times, edge!.known(session, null)]).toEqual([3, undefined]);
  });

  it('opens again after an opening that failed, at any edge', async () => {
    const [session, opener] = [opened(KEY), new Opener()];
    const [one, two] = edges(memoryEphemeral());
    await expect(one!.of(session, 'idn_a', () => Promise.reject(new Refusal('upstream_unreachable')))).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(await two!.of(session, 'idn_a', opener.open)).toEqual(OPENED);
  });

  it('takes nothing that was written for another session', async () => {
    const store = memoryEphemeral();
    const [session, other, opener] = [opened(KEY), opened(KEY), new Opener()];
    const [one, two] = edges(store);
    await one!.of(session, 'idn_a', opener.open);
    const stolen = (await store.get(`gateway:upstream:${session.digest}:idn_a`))!;
    expect(stolen).not.toContain('given');
    await store.set(`gateway:upstream:${other.digest}:idn_a`, stolen, 60_000);
    await two!.of(other, 'idn_a', opener.open);
    expect(opener.times).toBe(2);
  });

  it('opens one per edge while the store is down', async () => {
    const [session, opener] = [opened(KEY), new Opener()];
    for (const edge of edges(DOWN)) expect(await edge.of(session, 'idn_a', opener.open)).toEqual(OPENED);
    expect(opener.times).toBe(2);
  });
});

describe('RememberedInitialize', () => {
  const remembering = (store: Ephemeral) => new RememberedInitialize(store, () => [KEY], { now: () => Date.now() });

  it('gives every edge what the client said, whole', async () => {
    const [store, session] = [memoryEphemeral(), opened(KEY, { expiresAt: Date.now() + 3_600_000 })];
    await remembering(store).keep(session, PARAMS);
    expect(await remembering(store).of(session)).toEqual(PARAMS);
  });

  it.each([
    ['what is too long', async (store: Ephemeral, session: ReturnType<typeof opened>) => remembering(store).keep(session, { ...PARAMS, long: 'x'.repeat(10_000) })],
    ['what the store lost', async () => undefined],
    ['what another session said', async (store: Ephemeral, session: ReturnType<typeof opened>) => {
      const other = opened(KEY, { expiresAt: Date.now() + 3_600_000 });
      await remembering(store).keep(other, PARAMS);
      await store.set(`gateway:initialize:${session.digest}`, (await store.get(`gateway:initialize:${other.digest}`))!, 60_000);
    }],
  ])('makes up from the session for %s', async (_what, prepare) => {
    const [store, session] = [memoryEphemeral(), opened(KEY, { expiresAt: Date.now() + 3_600_000 })];
    await prepare(store, session);
    expect(await remembering(store).of(session)).toEqual(initializeParams(session));
  });

  it('does without the store', async () => {
    const session = opened(KEY);
    await remembering(DOWN).keep(session, PARAMS);
    expect(await remembering(DOWN).of(session)).toEqual(initializeParams(session));
  });
});
