import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { authContracts, identityContracts, policyContracts, serverContracts, vaultContracts, type directoryContracts } from '@gatehouse/contracts';
import { newId, openSealed } from '@gatehouse/kernel';
import { EdgeStage, type Answered } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { AnsweringServices } from './answering-services.conformance.js';

const { createIdentity, getConnection, listIdentities, preferIdentity, removeIdentity, replaceIdentityHeaders, shareIdentity } = identityContracts;
const ADMIN = ['mcp:access', 'admin'];
const SECRET = 'canary-secret-of-a-person';
const ID = 'idn_019a0000-0000-7000-8000-000000000000';

let neighbours: Neighbours;
let services: AnsweringServices;
let stage: EdgeStage;
let administrator: string;
let reader: string;
let member: string;
let robot: string;
const memberId = newId('person');
const administratorId = newId('person');
let held: object[];

beforeAll(async () => {
  neighbours = new Neighbours();
  await neighbours.serve();
  services = new AnsweringServices(neighbours);
  await services.serve();
  administrator = neighbours.addToken('Ada', { callerId: administratorId, scopes: ADMIN, capabilities: [...authContracts.CAPABILITIES] });
  reader = neighbours.addToken('Rita', { scopes: ADMIN, capabilities: ['identities.read'] });
  member = neighbours.addToken('Mo', { callerId: memberId, scopes: ADMIN });
  robot = neighbours.addToken('nightly', { callerId: newId('service_account'), scopes: ADMIN, capabilities: ['identities.manage'] });
  services.answers.set(listIdentities.subject, ({ owner }) => ({ items: held.filter((each: any) => owner === null || each.owner === owner) }));
  stage = await (await EdgeStage.start(neighbours)).ready();
});

beforeEach(() => {
  services.asked.splice(0);
  held = [identityOf(memberId, 'work'), identityOf(newId('person'), 'theirs'), identityOf('global', 'default')];
});

afterAll(async () => {
  await stage.close();
  await neighbours.close();
});

const identityOf = (owner: string, name: string): identityContracts.Identity => ({
  ...services.sample(listIdentities).items[0],
  ...{ id: owner === 'global' ? ID : newId('identity'), owner, name, secrets: [{ name: 'X-Api-Key', lastFour: 'abcd', changedAt: 1 }] },
});
const ask = (token: string, method: string, path = '', body?: unknown): Promise<Answered> =>
  stage.send(method, `/api/v1/identities${path}`, { authorization: `Bearer ${token}` }, body === undefined ? undefined : JSON.stringify(body));
const listed = ({ json }: Answered): unknown[] => json.items.map(({ name, secrets }: any) => [name, secrets[0].lastFour]);

describe('a list of identities', () => {
  it('has one\'s own and the organisation\'s, whose last characters are for who may read identities', async () => {
    expect(listed(await ask(member, 'GET'))).toEqual([['work', 'abcd'], ['default', null]]);
    expect(listed(await ask(robot, 'GET'))).toEqual([['default', null]]);
  });

  it('has everybody\'s for who may read identities, and nothing of another\'s secrets', async () => {
    expect(listed(await ask(reader, 'GET', '?all=true'))).toEqual([['work', null], ['theirs', null], ['default', 'abcd']]);
    expect((await ask(member, 'GET', '?all=true')).json.code).toBe('capability_missing');
  });

  it('is of one server where one is named', async () => {
    await ask(member, 'GET', '?server=tools');
    expect(services.askedOf(listIdentities)).toEqual([{ owner: memberId, server: 'tools' }, { owner: 'global', server: 'tools' }]);
  });
});

describe('a new identity', () => {
  const body = { server: 'tools', headers: { 'X-Api-Key': SECRET } };

  it('is the person\'s own, sealed to the vault, and recorded with the server\'s name and without its secret', async () => {
    const before = await stage.recordsSoFar();
    const answer = await ask(member, 'POST', '', body);
    const [made] = services.askedOf(createIdentity);
    expect([answer.status, made.owner, made.name]).toEqual([201, memberId, 'default']);
    expect(openSealed(neighbours.entryPair, made.headers[0].sealed, vaultContracts.entryContext(made.identityId, 'X-Api-Key')).toString()).toBe(SECRET);
    const records = (await stage.recordsAfter(before)).filter(({ facts }) => facts.method === 'POST /api/v1/identities');
    expect(records).toMatchObject([{ facts: { target: 'tools', caller: { id: memberId } } }]);
    expect(JSON.stringify([answer, services.asked, records])).not.toContain(SECRET);
  });

  it('of the organisation needs the capability; of a service account there is none', async () => {
    const shared = { ...body, visibility: 'global' };
    expect((await ask(member, 'POST', '', shared)).json.code).toBe('capability_missing');
    expect((await ask(robot, 'POST', '', body)).json.code).toBe('bad_request');
    expect(services.asked).toEqual([]);
    expect((await ask(robot, 'POST', '', shared)).status).toBe(201);
    expect(services.askedOf(createIdentity)).toMatchObject([{ owner: 'global' }]);
  });

  it.each([['a\r\nHost: evil'], ['a\0'], ['k\u0119y']])('cannot hold %j', async (value) => {
    expect((await ask(member, 'POST', '', { ...body, headers: { 'X-Api-Key': value } })).json.code).toBe('header_refused');
    expect(services.asked).toEqual([]);
  });
});

describe('a change of an identity', () => {
  const own = (path: string) => `/${(held[0] as { id: string }).id}${path}`;

  it.each([
    ['PUT', '/headers', { headers: { 'X-Api-Key': SECRET } }, replaceIdentityHeaders],
    ['POST', '/prefer', undefined, preferIdentity],
  ] as const)('by %s %s reaches what is one\'s own, and the organisation\'s for who may manage it; never what is another\'s alone', async (method, path, body, contract) => {
    await ask(member, method, own(path), body);
    await ask(member, method, `/${ID}${path}`, body);
    await ask(administrator, method, `/${ID}${path}`, body);
    await ask(administrator, method, own(path), body);
    expect(services.askedOf(contract).map(({ ownedBy }) => ownedBy)).toEqual([memberId, memberId, null, administratorId]);
    expect(JSON.stringify(services.asked)).not.toContain(SECRET);
  });

  it('that shares it is for its owner who may manage identities', async () => {
    expect((await ask(member, 'POST', own('/share'))).json.code).toBe('capability_missing');
    await ask(administrator, 'POST', own('/share'));
    expect(services.askedOf(shareIdentity).map(({ ownedBy }) => ownedBy)).toEqual([administratorId]);
  });

  it('that ends it is for its owner and for who may manage identities', async () => {
    expect([(await ask(member, 'DELETE', own(''))).status, (await ask(administrator, 'DELETE', own(''))).status]).toEqual([204, 204]);
    expect(services.askedOf(removeIdentity).map(({ ownedBy }) => ownedBy)).toEqual([memberId, null]);
  });
});

describe('a connection', () => {
  it('is for the person who asks, or for the organisation by who may manage identities', async () => {
    const started = await ask(member, 'POST', '/connect', { server: 'tools', name: 'work' });
    expect([started.status, Object.keys(started.json).sort()]).toEqual([201, ['expiresAt', 'id', 'url']]);
    expect((await ask(member, 'POST', '/connect', { server: 'tools', visibility: 'global' })).json.code).toBe('capability_missing');
    expect((await ask(administrator, 'POST', '/connect', { server: 'tools', visibility: 'global', identity: ID })).status).toBe(201);
    const { id: serverId } = services.sample(serverContracts.getServer);
    expect(neighbours.connects).toEqual([
      { personId: memberId, serverId, owner: memberId, name: 'work', identityId: null, cause: 'asked' },
      { personId: administratorId, serverId, owner: 'global', name: null, identityId: ID, cause: 'asked' },
    ]);
  });

  it('is told of to who started it, and is nothing for a service account', async () => {
    const id = 'x'.repeat(22);
    expect([(await ask(member, 'GET', `/connect/${id}`)).status, services.askedOf(getConnection)]).toEqual([200, [{ id, personId: memberId }]]);
    for (const answer of [await ask(robot, 'GET', `/connect/${id}`), await ask(robot, 'POST', '/connect', { server: 'tools', visibility: 'global' })]) expect(answer.json.code).toBe('bad_request');
    expect((await ask(member, 'GET', '/connect/x')).json.code).toBe('not_found');
  });
});

describe('an explanation', () => {
  let server: policyContracts.SnapshotServer;
  let identities: directoryContracts.Directory['identities'];
  const known = (owner: string, more: object = {}) => ({ id: newId('identity'), serverId: server.id, owner, name: 'work', method: 'oauth' as const, status: 'active' as const, preferred: false, ...more });
  const explained = async (query = '', token = member): Promise<any> => (await ask(token, 'GET', `/explain?server=github${query}`)).json;

  beforeAll(() => {
    server = neighbours.addServer('github', 'https://github.example/mcp');
    const text = neighbours.directoryText.bind(neighbours);
    neighbours.directoryText = () => JSON.stringify({ ...JSON.parse(text()), identities });
  });

  const given = async (mode: policyContracts.SnapshotServer['identityMode'], now: directoryContracts.Directory['identities']): Promise<void> => {
    server.identityMode = mode;
    identities = now;
    neighbours.policyVersion += 1;
    neighbours.directoryVersion += 1;
    await stage.changed();
  };

  it('says whose account is used, in one sentence', async () => {
    const own = known(memberId);
    await given('private-or-global', [own, known('global', { name: 'shared' })]);
    expect(await explained()).toEqual({
      server: 'github',
      person: { id: memberId, name: 'Mo' },
      identityMode: 'private-or-global',
      outcome: 'private',
      identity: { id: own.id, name: 'work', visibility: 'private', status: 'active' },
      reason: 'own_only',
      because: 'it is the only usable one they connected',
      sentence: 'If Mo calls github, their own account “work” is used, because it is the only usable one they connected.',
    });
    expect((await explained(`&person=${administratorId}`, reader)).sentence).toBe('If Ada calls github, the shared account “shared” is used, because they connected none of their own and the identity mode is private-or-global.');
    expect((await explained('', robot)).outcome).toBe('global');
  });

  it('says why a call would be refused, or carries nothing', async () => {
    await given('private-required', [known(memberId, { status: 'needs_reauth' })]);
    expect((await explained()).sentence).toBe('If Mo calls github, the call is refused until their own account “work” is connected anew, because github or its provider does not accept it any more.');
    await given('private-or-global', []);
    expect((await explained()).sentence).toBe('If Mo calls github, the call is refused until an account is connected, because they have connected no account of their own, and neither has the organisation (identity mode private-or-global).');
    await given('none', []);
    expect((await explained()).sentence).toBe('If Mo calls github, no account is used, because github is called without any credential (identity mode none).');
  });

  it('says that an account is made where nobody connects one', async () => {
    const before = { auth: server.auth, grant: server.grant };
    Object.assign(server, { auth: 'oauth', grant: 'id_jag' });
    await given('private-required', []);
    expect((await explained()).sentence).toBe('If Mo calls github, an account is made within the call, because accounts at github are made when they are first needed, and none was yet.');
    expect((await explained('', robot)).because).toBe('accounts at github are made of people’s sign-ins, and a service account has none');
    await given('private-required', [known(memberId, { status: 'needs_reauth' })]);
    expect((await explained()).sentence).toContain('an account is made within the call');
    Object.assign(server, before);
  });

  it('is about oneself, unless one may read identities', async () => {
    await given('none', []);
    expect((await explained(`&person=${administratorId}`)).code).toBe('capability_missing');
    expect((await explained(`&person=${newId('person')}`, reader)).code).toBe('not_found');
    expect((await ask(member, 'GET', '/explain?server=nowhere')).json.code).toBe('unknown_server');
  });
});
