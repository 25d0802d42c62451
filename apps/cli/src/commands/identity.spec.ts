import { afterEach, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { sampleIdentity, samplePreset } from '../../test/identity-samples.js';
import { invoke, type Given } from '../../test/invoke.js';
import { samplePerson } from '../../test/samples.js';

const IDENTITIES = '/api/v1/identities';
const CONNECTION = 'x'.repeat(22);
const { id } = sampleIdentity();
const shared = sampleIdentity({ id: 'idn_01990000-0000-7000-8000-000000000008', owner: 'global', ownerName: null, name: 'default', status: 'needs_reauth', reason: 'refresh_refused' });
const page = (...items: object[]) => ({ body: { items, nextCursor: null } });

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const last = () => world.arrived.at(-1);
const changes = () => world.arrived.filter(({ method }) => method !== 'GET');

describe('connect', () => {
  const state = (name: string, more: object = {}): object => ({ id: CONNECTION, state: name, identityId: null, problem: null, ...more });
  const started = { [`POST ${IDENTITIES}/connect`]: { status: 201, body: { id: CONNECTION, url: 'https://gatehouse.test/connect/t1', expiresAt: 9 } } };
  const asked = `GET ${IDENTITIES}/connect/${CONNECTION}`;
  const ending = (body: object): Routes => ({ ...started, [asked]: { body }, [`GET ${IDENTITIES}`]: page(sampleIdentity()) });

  it('opens the link, waits, and shows the account', async () => {
    const opened: string[] = [];
    const routes = { ...ending({}), [asked]: [{ body: state('waiting') }, { body: state('connected', { identityId: id }) }] };
    const ran = await gatehouse(routes, ['connect', 'github', '--name', 'work', '-o', 'table'], { browser: (url) => void opened.push(url) });
    expect([ran.code, opened, changes()[0]?.body]).toEqual([0, ['https://gatehouse.test/connect/t1'], { server: 'github', visibility: 'private', name: 'work' }]);
    expect(ran.out).toMatch(/name +work[\s\S]*status +active/);
  });

  it('prints the address and opens nothing when told so; the shared account is asked for by --global', async () => {
    const ran = await gatehouse(ending(state('connected', { identityId: id })), ['connect', 'github', '--global', '--no-browser'], { browser: () => expect('a browser').toBe('not opened') });
    expect([ran.code, ran.err, changes()[0]?.body]).toEqual([0, 'Connect the account at:\nhttps://gatehouse.test/connect/t1\n', { server: 'github', visibility: 'global' }]);
    expect(JSON.parse(ran.out).id).toBe(id);
  });

  it.each([
    ['failed', { problem: 'The provider refused: access_denied.' }, 'not connected: The provider refused: access_denied.'],
    ['expired', {}, 'the link has ended'],
    ['waiting', {}, 'nobody connected an account within 1 seconds'],
  ])('fails where it %s', async (name, more, message) => {
    const ran = await gatehouse(ending(state(name, more)), ['connect', 'github', '--timeout', '1s']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  });

  it.each([
    ['typed at a terminal', ['X-Key'], { interactive: true, typed: 'canary-1' }, 'canary-1'],
    ['from standard input', ['X-Key'], { input: 'canary-2\n' }, 'canary-2'],
    ['from a variable', ['X-Key=env:K'], { variables: { K: 'canary-3' } }, 'canary-3'],
    ['from a file', ['X-Key=file:k'], { files: { k: 'canary-4\n' } }, 'canary-4'],
  ])('stores the value of a header %s', async (_, [header = ''], given, value) => {
    const ran = await gatehouse({ [`GET ${IDENTITIES}`]: page(), [`POST ${IDENTITIES}`]: { status: 201, body: sampleIdentity({ method: 'headers' }) } }, ['connect', 'github', '--header', header], given);
    expect([ran.code, last()?.body]).toEqual([0, { server: 'github', visibility: 'private', name: 'default', headers: { 'X-Key': value } }]);
    expect(ran.out + ran.err).not.toContain('canary');
  });

  it('puts the new value in place of what the account held', async () => {
    const routes = { [`GET ${IDENTITIES}`]: page(shared, sampleIdentity()), [`PUT ${IDENTITIES}/${id}/headers`]: { body: sampleIdentity() } };
    await gatehouse(routes, ['connect', 'github', '--name', 'work', '--header', 'X-Key=-'], { input: 'v' });
    expect(last()?.body).toEqual({ headers: { 'X-Key': 'v' } });
  });

  it.each([
    [['--header', 'X-Key=canary'], '--header takes NAME'],
    [['--header', 'X-Key=env:NONE'], 'NONE is empty or not set'],
    [['--timeout', 'soon'], '1s to 60m'],
  ])('refuses %j as usage', async (args, message) => {
    const ran = await gatehouse({}, ['connect', 'github', ...args]);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect([ran.err.includes('canary'), world.arrived]).toEqual([false, []]);
  });
});

describe('identity', () => {
  const routes = { [`GET ${IDENTITIES}`]: page(sampleIdentity(), shared) };

  it('list shows whose account it is, and why it cannot be used', async () => {
    const ran = await gatehouse(routes, ['identity', 'list', '--all', '--server', 'github', '-o', 'table']);
    expect(ran.out).toMatch(/github +work +Ada +oauth +active[\s\S]*github +default +everybody \(shared\) +oauth +needs_reauth \(refresh_refused\)/);
    expect(last()?.query.toString()).toBe('all=true&server=github');
  });

  it.each([
    ['prefer', 'github/work', `POST ${IDENTITIES}/${id}/prefer`],
    ['share', 'work', `POST ${IDENTITIES}/${id}/share`],
    ['prefer', id, `POST ${IDENTITIES}/${id}/prefer`],
    ['rm', 'github/work', `DELETE ${IDENTITIES}/${id}`],
  ])('%s finds %s', async (act, which, route) => {
    const ran = await gatehouse({ ...routes, [route]: { body: sampleIdentity() } }, ['identity', act, which]);
    expect([ran.code, `${changes()[0]?.method} ${changes()[0]?.path}`]).toEqual([0, route]);
  });

  it('prefer takes one\'s own before the shared one of the same name', async () => {
    const own = sampleIdentity({ name: 'default' });
    const ran = await gatehouse({ [`GET ${IDENTITIES}`]: page(shared, own), [`POST ${IDENTITIES}/${own.id}/prefer`]: { body: own } }, ['identity', 'prefer', 'github/default']);
    expect([ran.code, changes().length]).toEqual([0, 1]);
  });

  it.each([
    ['github', '2 accounts are called github'],
    ['nothing', 'there is no account nothing'],
  ])('rm of %s changes nothing', async (which, message) => {
    expect(await gatehouse(routes, ['identity', 'rm', which])).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(changes()).toEqual([]);
  });

  it('explain says it in one sentence, about oneself or somebody else', async () => {
    const sentence = 'If Ada calls github, their own account “work” is used, because it is the one they prefer.';
    const body = { server: 'github', person: { id: 'per_01990000-0000-7000-8000-000000000002', name: 'Ada' }, identityMode: 'private-or-global', outcome: 'private', identity: { id, name: 'work', visibility: 'private', status: 'active' }, reason: 'own_preferred', because: 'it is the one they prefer', sentence };
    const explained = { [`GET ${IDENTITIES}/explain`]: { body }, 'GET /api/v1/people': page(samplePerson()) };
    expect((await gatehouse(explained, ['identity', 'explain', 'github', '-o', 'table'])).out).toBe(`${sentence}\n`);
    await invoke(['identity', 'explain', 'github', '--person', 'ada@example.com'], { url: world.url });
    expect(last()?.query.toString()).toBe('server=github&person=per_01990000-0000-7000-8000-000000000002');
  });
});

describe('preset', () => {
  const routes = { 'GET /api/v1/presets': page(samplePreset()), 'GET /api/v1/presets/github': { body: samplePreset() }, 'PUT /api/v1/presets/github': { body: samplePreset({ source: 'edited' }) }, 'DELETE /api/v1/presets/github': { body: {} } };

  it('list and show say what is known of a provider', async () => {
    expect((await gatehouse(routes, ['preset', 'list', '-o', 'table'])).out).toMatch(/github +GitHub +built-in +api\.github\.test/);
    expect((await invoke(['preset', 'show', 'github', '-o', 'yaml'], { url: world.url })).out).toContain('scopes:');
  });

  it('set takes what show prints', async () => {
    const shown = await gatehouse(routes, ['preset', 'show', 'github', '-o', 'yaml']);
    const ran = await invoke(['preset', 'set', 'github', '-f', 'p.yaml'], { url: world.url, files: { 'p.yaml': shown.out } });
    const { name: _name, source: _source, ...body } = samplePreset() as Record<string, unknown>;
    expect([ran.code, last()?.body]).toEqual([0, body]);
  });

  it.each([
    [[], 'which file?'],
    [['-f', 'bad'], 'hosts'],
    [['-f', 'none'], 'cannot read none'],
  ])('set %j is usage', async (args, message) => {
    expect(await gatehouse(routes, ['preset', 'set', 'github', ...args], { files: { bad: 'title: x' } })).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(changes()).toEqual([]);
  });

  it('rm forgets what was written', async () => {
    expect([(await gatehouse(routes, ['preset', 'rm', 'github'])).code, last()?.method]).toEqual([0, 'DELETE']);
  });
});
