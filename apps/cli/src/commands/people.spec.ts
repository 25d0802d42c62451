import { afterEach, describe, expect, it } from '@jest/globals';
import { refusal, startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { samplePerson, sampleServiceAccount } from '../../test/samples.js';

const ADA = 'per_01990000-0000-7000-8000-000000000002';
const NIGHTLY = 'svc_01990000-0000-7000-8000-000000000005';
const page = (...items: object[]) => ({ body: { items, nextCursor: null } });
const people = { 'GET /api/v1/people': page(samplePerson()) };
const accounts = { 'GET /api/v1/service-accounts': page(sampleServiceAccount()) };

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, ...given });
}

const last = () => world.arrived.at(-1);
const changes = () => world.arrived.filter(({ method }) => method !== 'GET');

describe('person', () => {
  it('add sends roles and teams; create is the same verb', async () => {
    const routes = { 'POST /api/v1/people': { status: 201, body: samplePerson() } };
    const args = ['Ada', '--email', 'ada@example.com', '--role', 'operator', '--role', 'auditor', '--team', 'a', '--team', 'b'];
    await gatehouse(routes, ['person', 'add', ...args]);
    const wanted = { name: 'Ada', email: 'ada@example.com', roles: ['operator', 'auditor'], teams: ['a', 'b'] };
    expect(last()?.body).toEqual(wanted);
    await invoke(['person', 'create', ...args], { url: world.url });
    expect(last()?.body).toEqual(wanted);
  });

  it('add without more is a member of no team', async () => {
    await gatehouse({ 'POST /api/v1/people': { status: 201, body: samplePerson() } }, ['person', 'add', 'Ada']);
    expect(last()?.body).toEqual({ name: 'Ada', email: null, roles: ['member'], teams: [] });
  });

  it('list shows what they may do with everything, show also where it comes from', async () => {
    const ran = await gatehouse(people, ['person', 'list', '-o', 'table']);
    expect(ran.out).toMatch(/ada@example\.com +member,operator +analysis,on-call +active +local/);
    const shown = await invoke(['person', 'show', 'Ada', '-o', 'table'], { url: world.url });
    expect(shown.out).toMatch(/own roles +member\n[^]*all roles +member, operator\n[^]*capabilities +servers\.read/);
  });

  it('update sends what is named alone', async () => {
    const routes = { ...people, [`PATCH /api/v1/people/${ADA}`]: { body: samplePerson() } };
    await gatehouse(routes, ['person', 'update', 'ada@example.com', '--no-email', '--no-team', '--role', 'operator']);
    expect(last()?.body).toEqual({ email: null, teams: [], roles: ['operator'] });
    await invoke(['person', 'update', ADA, '--name', 'Ada L', '--team', 'x'], { url: world.url });
    expect(last()?.body).toEqual({ name: 'Ada L', teams: ['x'] });
  });

  it.each([
    [['update', 'Ada'], 'what is to change?'],
    [['update', ADA, '--email', 'ada'], 'email: Invalid email'],
    [['add', 'Ada', '--role', 'Not A Role'], 'roles.0: lower-case letters'],
  ])('%j is usage: nothing is sent', async (args, message) => {
    const ran = await gatehouse(people, ['person', ...args]);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(world.arrived).toEqual([]);
  });

  it.each(['disable', 'enable'])('%s finds one by name', async (act) => {
    const routes = { ...people, [`POST /api/v1/people/${ADA}/${act}`]: { body: samplePerson({ status: 'disabled' }) } };
    expect((await gatehouse(routes, ['person', act, 'Ada', '-o', 'table'])).out).toMatch(/status +disabled/);
  });

  it('link shows a link, until when it works and whom it is for', async () => {
    const made = { url: 'https://gatehouse.example/login/link?ticket=abc', expiresAt: 1_700_000_000_000 };
    const routes = { ...people, [`POST /api/v1/people/${ADA}/sign-in-link`]: { status: 201, body: made } };
    const ran = await gatehouse(routes, ['person', 'link', 'Ada', '-o', 'table']);
    expect(ran.out).toMatch(/link +https:\/\/gatehouse\.example\/login\/link\?ticket=abc\n.*works until +2023-11-14/);
  });

  it('refuses a name that two people have, and one that nobody has', async () => {
    const ran = await gatehouse({ 'GET /api/v1/people': page(samplePerson(), samplePerson({ email: null })) }, ['person', 'disable', 'Ada']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('2 people are called Ada') });
    expect(await invoke(['person', 'show', 'Bob'], { url: world.url })).toMatchObject({ code: 1, err: expect.stringContaining('there is nobody by the id, e-mail or name Bob [not_found]') });
  });

  it('says which capability is missing', async () => {
    const routes = { [`POST /api/v1/people/${ADA}/disable`]: refusal(403, 'capability_missing', 'Your roles do not include the capability that this needs.', { capability: 'people.manage' }) };
    expect(await gatehouse(routes, ['person', 'disable', ADA])).toMatchObject({ code: 1, err: expect.stringContaining('capability: people.manage [capability_missing]\nnext: ask an administrator') });
  });
});

const TEAM = { name: 'analysis', roles: ['member'], groups: [{ provider: 'okta', group: 'Data: Analysts' }], members: 3 };

describe('team', () => {
  const routes = { 'GET /api/v1/teams': page(TEAM), 'PUT /api/v1/teams/analysis': { body: TEAM }, 'PUT /api/v1/teams/new': { body: TEAM }, 'DELETE /api/v1/teams/analysis': { body: {} } };

  it('list shows roles, groups and how many are in it', async () => {
    expect((await gatehouse(routes, ['team', 'list', '-o', 'table'])).out).toMatch(/analysis +member +3 +okta:Data: Analysts/);
  });

  it('set makes a team with roles and groups', async () => {
    await gatehouse(routes, ['team', 'set', 'new', '--role', 'operator', '--group', 'okta:Ops', '--group', 'scim:a:b']);
    const groups = [{ provider: 'okta', group: 'Ops' }, { provider: 'scim', group: 'a:b' }];
    expect(last()).toMatchObject({ path: '/api/v1/teams/new', body: { roles: ['operator'], groups } });
  });

  it.each([
    ['keeps what is not named', ['--role', 'operator'], { roles: ['operator'], groups: TEAM.groups }],
    ['empties what is said to be empty', ['--no-role', '--no-group'], { roles: [], groups: [] }],
  ])('set %s', async (_, args, body) => {
    await gatehouse(routes, ['team', 'set', 'analysis', ...args]);
    expect(last()?.body).toEqual(body);
  });

  it('set refuses a group without a provider as usage', async () => {
    expect(await gatehouse(routes, ['team', 'set', 'analysis', '--group', 'Ops'])).toMatchObject({ code: 2, err: expect.stringContaining('PROVIDER:GROUP') });
    expect(world.arrived).toEqual([]);
  });

  it('rm deletes it', async () => {
    expect(await gatehouse(routes, ['team', 'rm', 'analysis', '-o', 'table'])).toMatchObject({ code: 0, out: 'removed  analysis\n' });
  });
});

const ROLE = { name: 'auditor', description: 'Reads', capabilities: ['audit.read'], builtIn: false };

describe('role', () => {
  const routes = { 'GET /api/v1/roles': page(ROLE), 'PUT /api/v1/roles/auditor': { body: ROLE }, 'PUT /api/v1/roles/new': { body: ROLE } };

  it('list tells built-in from custom', async () => {
    expect((await gatehouse(routes, ['role', 'list', '-o', 'table'])).out).toMatch(/auditor +custom +Reads +audit\.read/);
  });

  it('set makes one, and changes one keeping what is not named', async () => {
    await gatehouse(routes, ['role', 'set', 'new', '--capability', 'audit.read', '--capability', 'people.read', '--description', 'x']);
    expect(last()?.body).toEqual({ capabilities: ['audit.read', 'people.read'], description: 'x' });
    await invoke(['role', 'set', 'auditor', '--description', 'y'], { url: world.url });
    expect(last()?.body).toEqual({ capabilities: ['audit.read'], description: 'y' });
  });

  it.each([
    [['new'], 'there is no role new yet'],
    [['new', '--capability', 'everything'], 'Allowed choices are'],
  ])('set %j is usage', async (args, message) => {
    expect(await gatehouse(routes, ['role', 'set', ...args])).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(changes()).toEqual([]);
  });

  it.each([
    ['in_use', 'next: somebody still has it'],
    ['built_in', 'next: built-in roles never change'],
    ['something_new', 'next: choose another name'],
  ])('rm says what to do when it is refused for %s', async (reason, next) => {
    const conflict = refusal(409, 'conflict', 'It exists already, or it changed in the meantime.', { reason });
    const ran = await gatehouse({ 'DELETE /api/v1/roles/auditor': conflict }, ['role', 'rm', 'auditor']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(`reason: ${reason} [conflict]\n${next}`) });
  });
});

describe('service-account', () => {
  const created = sampleServiceAccount({ secret: 's3cret' });
  const routes = {
    ...accounts,
    'POST /api/v1/service-accounts': { status: 201, body: created },
    [`POST /api/v1/service-accounts/${NIGHTLY}/auth`]: { body: created },
    [`POST /api/v1/service-accounts/${NIGHTLY}/disable`]: { body: sampleServiceAccount({ status: 'disabled' }) },
  };
  const KEY = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };

  it('add shows the secret once', async () => {
    const ran = await gatehouse(routes, ['service-account', 'add', 'nightly', '--team', 'analysis'], { terminal: true });
    expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/secret +s3cret/), err: expect.stringContaining('not shown again') });
    expect(last()?.body).toEqual({ name: 'nightly', roles: ['member'], teams: ['analysis'], auth: { method: 'secret' } });
  });

  it('add prints it for programs', async () => {
    expect(JSON.parse((await gatehouse(routes, ['service-account', 'add', 'nightly', '-o', 'json'])).out)).toMatchObject({ id: NIGHTLY, secret: 's3cret' });
  });

  it.each([
    ['a JWK Set', JSON.stringify({ keys: [KEY] })],
    ['one JWK', JSON.stringify(KEY)],
  ])('add takes public keys from a file: %s', async (_, text) => {
    await gatehouse(routes, ['service-account', 'add', 'nightly', '--jwks-file', 'keys.json'], { files: { 'keys.json': text } });
    expect(last()?.body).toMatchObject({ auth: { method: 'private_key_jwt', jwks: { keys: [KEY] } } });
  });

  it.each([
    ['a private key', ['--jwks-file', '-'], JSON.stringify({ keys: [{ ...KEY, d: 'private-part' }] }), 'holds a private key; nothing was sent'],
    ['a symmetric key', ['--jwks-file', '-'], JSON.stringify({ kty: 'oct', k: 'private-part' }), 'holds a private key'],
    ['what is no key', ['--jwks-file', '-'], '{"keys":[1]}', 'is not a JWK Set'],
    ['keys and no secret at once', ['--jwks-file', '-', '--no-secret'], '{}', 'name one of them'],
  ])('add refuses %s as usage', async (_, args, input, message) => {
    const ran = await gatehouse(routes, ['service-account', 'add', 'nightly', ...args], { input });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(ran.err).not.toContain('private-part');
    expect(world.arrived).toEqual([]);
  });

  it('rotate makes a new secret, or none', async () => {
    expect((await gatehouse(routes, ['service-account', 'rotate', 'nightly', '-o', 'table'])).out).toContain('s3cret');
    expect(last()?.body).toEqual({ auth: { method: 'secret' } });
    await invoke(['service-account', 'rotate', NIGHTLY, '--no-secret'], { url: world.url });
    expect(last()?.body).toEqual({ auth: { method: 'none' } });
  });

  it('list and disable', async () => {
    expect((await gatehouse(routes, ['service-account', 'list', '-o', 'table'])).out).toMatch(/nightly +member +- +secret/);
    expect((await invoke(['service-account', 'disable', 'nightly', '-o', 'table'], { url: world.url })).out).toMatch(/status +disabled/);
  });

  it('can be given a personal access token', async () => {
    const token = { id: 'tok_01990000-0000-7000-8000-000000000003', callerId: NIGHTLY, name: 'job', scopes: ['mcp:access'], createdAt: 1, expiresAt: null, revokedAt: null, token: 't' };
    await gatehouse({ ...people, ...routes, 'POST /api/v1/tokens': { status: 201, body: token } }, ['token', 'create', 'job', '--caller', 'nightly']);
    expect(last()?.body).toEqual({ name: 'job', callerId: NIGHTLY });
  });
});
