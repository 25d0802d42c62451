import { signInContracts, type Actor } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed } from '@gatehouse/kernel';
import { TestClock } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startStage, type Stage } from './sign-in-stage.conformance.js';

const EDGE = newSealingKeyPair();
const MINUTES = 60_000;
let stage: Stage;
let clock: TestClock;
let root: Actor;

beforeAll(async () => {
  stage = await startStage();
}, 60_000);
afterAll(() => stage.close(), 30_000);
beforeEach(async () => {
  await stage.clear();
  clock = new TestClock(Date.now());
  await stage.restart({ clock, config: { localAccounts: true } });
  root = { callerId: await stage.administrator(), tokenId: null };
});

async function person(name: string, role = 'member'): Promise<string> {
  const id = newId(name.startsWith('svc') ? 'service_account' : 'person');
  const kind = name.startsWith('svc') ? 'service_account' : 'person';
  await stage.db.query(`INSERT INTO people (id, name, roles, teams, status, created_at, kind) VALUES ($1, $2, $3, '{}', 'active', 0, $4)`, [id, name, [role], kind]);
  return id;
}

async function link(personId: string, by: Actor = root): Promise<string> {
  const { sealedPath } = await stage.area().localAccounts.createLink(by, personId, EDGE.publicKey);
  return stage.origin + openSealed(EDGE, sealedPath, signInContracts.signInLinkContext(personId)).toString();
}

async function refusal(personId: string, by: Actor = root): Promise<unknown> {
  return link(personId, by).catch(({ code, details }) => ({ code, details }));
}

describe('a link that an administrator makes', () => {
  it('signs its person in, once', async () => {
    const url = await link(await person('Ada'));
    const browser = stage.browser();
    expect((await browser.submit((await browser.get(url)).forms[0])).text).toContain('You are signed in');
    expect(await stage.area().sessions.current(browser.cookies.header(new URL(stage.origin)))).toMatchObject({ name: 'Ada', provider: '(link)' });
    expect((await stage.browser().get(url)).status).toBe(400);
  });

  it('works for fifteen minutes and says until when', async () => {
    const ada = await person('Ada');
    const { expiresAt } = await stage.area().localAccounts.createLink(root, ada, EDGE.publicKey);
    expect(expiresAt).toBe(clock.now() + 15 * MINUTES);
    const url = await link(ada);
    clock.advance(15 * MINUTES - 1);
    expect((await stage.browser().get(url)).status).toBe(200);
    clock.advance(2);
    expect((await stage.browser().get(url)).status).toBe(400);
  });

  it('is worth nothing once its person is disabled', async () => {
    const ada = await person('Ada');
    const url = await link(ada);
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [ada]);
    expect((await stage.browser().get(url)).status).toBe(400);
    expect(await refusal(ada)).toMatchObject({ code: 'not_found' });
  });

  it('is neither logged nor kept, and opens for the asking edge alone', async () => {
    const ada = await person('Ada');
    const { sealedPath } = await stage.area().localAccounts.createLink(root, ada, EDGE.publicKey);
    const ticket = openSealed(EDGE, sealedPath, signInContracts.signInLinkContext(ada)).toString().split('=')[1]!;
    expect([ticket.length > 20, stage.logs.join().includes(ticket), JSON.stringify(await stage.rows('sign_in_links')).includes(ticket)]).toEqual([true, false, false]);
    expect(() => openSealed(newSealingKeyPair(), sealedPath, signInContracts.signInLinkContext(ada))).toThrow();
    expect(() => openSealed(EDGE, sealedPath, signInContracts.signInLinkContext(newId('person')))).toThrow();
  });
});

describe('no link is made', () => {
  it('unless the operator turned local accounts on', async () => {
    const ada = await person('Ada');
    for (const config of [{}, { localAccounts: false }]) {
      await stage.restart({ clock, config });
      expect(await refusal(ada)).toEqual({ code: 'conflict', details: { reason: 'local_accounts_off' } });
    }
    expect(await stage.rows('sign_in_links')).toEqual([]);
  });

  it('for somebody who holds more than the actor', async () => {
    const by = { callerId: await person('Otto', 'operator'), tokenId: null };
    expect(await refusal(root.callerId, by)).toMatchObject({ code: 'capability_missing' });
    expect(await refusal(await person('Ada'), by)).toMatch(/^http/);
  });

  it('by somebody who was disabled a moment ago', async () => {
    const by = { callerId: await person('Gone', 'administrator'), tokenId: null };
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [by.callerId]);
    expect(await refusal(await person('Ada'), by)).toEqual({ code: 'capability_missing', details: { reason: 'actor_disabled' } });
  });

  it('for nobody, or for a service account', async () => {
    expect(await refusal(newId('person'))).toMatchObject({ code: 'not_found' });
    expect(await refusal(await person('svc nightly'))).toMatchObject({ code: 'not_found' });
  });

  it('under a key that is none', async () => {
    await expect(stage.area().localAccounts.createLink(root, await person('Ada'), 'short')).rejects.toMatchObject({ code: 'bad_request' });
    expect(await stage.rows('sign_in_links')).toEqual([]);
  });
});
