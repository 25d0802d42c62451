import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { accessContracts, authContracts, clientContracts, signInContracts, vaultContracts } from '@gatehouse/contracts';
import { newId, openSealed, Refusal, sealTo } from '@gatehouse/kernel';
import { EdgeStage, type Answered } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { claimsFor, headerFor, listed, newMintKey, signed } from '../tokens/token-mint.conformance.js';
import { AnsweringServices } from './answering-services.conformance.js';

const SECRET = 'canary-client-secret-of-the-provider';
const ADMIN = ['mcp:access', 'admin'];

let neighbours: Neighbours;
let services: AnsweringServices;
let stage: EdgeStage;
let administrator: string;
let member: string;
let memberId: string;

beforeAll(async () => {
  neighbours = new Neighbours();
  await neighbours.serve();
  services = new AnsweringServices(neighbours);
  await services.serve();
  memberId = newId('person');
  administrator = neighbours.addToken('Ada', { scopes: ADMIN, capabilities: [...authContracts.CAPABILITIES] });
  member = neighbours.addToken('Mo', { callerId: memberId, scopes: ADMIN });
  stage = await (await EdgeStage.start(neighbours)).ready();
});

beforeEach(() => void services.asked.splice(0));

afterAll(async () => {
  await stage.close();
  await neighbours.close();
});

const ask = (method: string, path: string, body?: unknown, token = administrator): Promise<Answered> =>
  stage.send(method, `/api/v1${path}`, { authorization: `Bearer ${token}` }, body === undefined ? undefined : JSON.stringify(body));

describe('a new token', () => {
  const PUBLIC = 'http://gatehouse.test';

  it('for calls may be made by who signed in and agreed to administer, and not by a token for administering alone', async () => {
    const key = newMintKey('key_own');
    neighbours.keys = [listed(key)];
    const person = neighbours.addCaller('Grace', undefined, [...authContracts.CAPABILITIES]);
    const narrow = neighbours.addToken('Nora', { scopes: ['admin'], capabilities: [...authContracts.CAPABILITIES] });
    await stage.changed();
    const signedIn = signed(headerFor(key), claimsFor(person, `${PUBLIC}/api/v1`, { scope: 'admin', client_id: 'gatehouse-cli' }), key);
    const wish = { name: 'laptop', scopes: ['mcp:access'] };
    expect((await ask('POST', '/tokens', wish, signedIn)).status).toBe(201);
    expect(await ask('POST', '/tokens', wish, narrow)).toMatchObject({ status: 403, json: { code: 'insufficient_scope', scope: 'mcp:access' } });
  });

  it('for provisioning or registering clients is part of administering', async () => {
    const narrow = neighbours.addToken('Nina', { scopes: ['admin'], capabilities: [...authContracts.CAPABILITIES] });
    await stage.changed();
    expect((await ask('POST', '/tokens', { name: 'sync', scopes: ['scim', 'clients:register'] }, narrow)).status).toBe(201);
  });
});

describe('the client secret of an identity provider', () => {
  const { putIdentityProvider } = signInContracts;
  const provider = { displayName: 'The company', issuer: 'https://id.example', clientId: 'gatehouse' };

  it('is sealed to the vault under a new id before anybody else sees it', async () => {
    const answers = [await ask('PUT', '/identity-providers/company', { ...provider, clientSecret: SECRET }), await ask('PUT', '/identity-providers/company', { ...provider, clientSecret: SECRET })];
    const secrets = services.askedOf(putIdentityProvider).map(({ secret }) => secret);
    const opened = secrets.map(({ secretId, sealed }) => openSealed(neighbours.entryPair, sealed, vaultContracts.serviceSecretContext(secretId)).toString());
    expect(opened).toEqual([SECRET, SECRET]);
    expect(new Set(secrets.map(({ secretId }) => secretId)).size).toBe(2);
    expect(() => openSealed(neighbours.entryPair, secrets[0].sealed, vaultContracts.serviceSecretContext(secrets[1].secretId))).toThrow();
    expect(JSON.stringify([services.asked, answers])).not.toContain(SECRET);
  });

  it('stands in no refusal and in no record', async () => {
    services.answers.set(putIdentityProvider.subject, () => {
      throw new Refusal('conflict', { reason: 'environment' });
    });
    const before = await stage.recordsSoFar();
    const answers = [
      await ask('PUT', '/identity-providers/company', { ...provider, clientSecret: SECRET }),
      await ask('PUT', '/identity-providers/company', { ...provider, issuer: SECRET, clientSecret: { nested: SECRET } }),
      await ask('PUT', '/identity-providers/company', { ...provider, clientSecret: SECRET.repeat(200) }),
    ];
    services.answers.delete(putIdentityProvider.subject);
    expect(answers.map(({ status }) => status)).toEqual([409, 400, 400]);
    expect(answers[1]!.json.errors.map(({ pointer }: any) => pointer)).toEqual(['/issuer', '/clientSecret']);
    expect(JSON.stringify([answers, await stage.recordsAfter(before, 3)])).not.toContain(SECRET);
  });

  it('is asked of nobody when none is given', async () => {
    await ask('PUT', '/identity-providers/company', provider);
    expect(services.askedOf(putIdentityProvider)).toMatchObject([{ name: 'company', secret: null, scopes: ['openid', 'profile', 'email'], provisioning: 'first-use', enabled: true }]);
  });
});

describe('a secret that is made', () => {
  it('is opened at the edge and shown in the one answer', async () => {
    const made = await ask('POST', '/service-accounts', { name: 'nightly', auth: { method: 'secret' } });
    expect([made.status, made.json.secret]).toEqual([201, 'a-new-secret']);
    expect(services.askedOf(accessContracts.createServiceAccount)).toMatchObject([{ name: 'nightly', roles: ['member'], teams: [], auth: { method: 'secret' } }]);
  });

  it('of a client is opened under the id of that client', async () => {
    services.answers.set(clientContracts.createClient.subject, ({ edgeKey }) => {
      const { client } = services.sample(clientContracts.createClient);
      return { client, sealedSecret: sealTo(edgeKey, Buffer.from('of-a-client'), accessContracts.clientSecretContext(client.id)) };
    });
    const made = await ask('POST', '/clients', { name: 'Reports', authMethod: 'client_secret_basic' });
    expect([made.status, made.json.secret]).toEqual([201, 'of-a-client']);
  });

  it('for another client opens nowhere', async () => {
    services.answers.set(clientContracts.createClient.subject, ({ edgeKey }) => {
      const { client } = services.sample(clientContracts.createClient);
      return { client, sealedSecret: sealTo(edgeKey, Buffer.from('of-a-client'), accessContracts.clientSecretContext('somebody-else')) };
    });
    const made = await ask('POST', '/clients', { name: 'Reports' });
    services.answers.delete(clientContracts.createClient.subject);
    expect([made.status, made.json.code]).toEqual([500, 'internal']);
  });

  it('is null where there is none', async () => {
    expect((await ask('POST', '/clients', { name: 'Reports' })).json.secret).toBeNull();
  });
});

describe('what is one\'s own', () => {
  it.each([
    ['tokens', 'GET', '/tokens', authContracts.listTokens, 'callerId'],
    ['a token', 'POST', '/tokens/tok_019a0000-0000-7000-8000-000000000000/revoke', authContracts.revokeToken, 'ownedBy'],
    ['grants', 'GET', '/grants', clientContracts.listGrants, 'callerId'],
    ['a grant', 'POST', '/grants/a-grant/revoke', clientContracts.revokeGrant, 'ownedBy'],
  ] as const)('%s: is all that a member asks for, and everybody\'s for who may manage it', async (_what, method, path, contract, field) => {
    await ask(method, path, undefined, member);
    await ask(method, path);
    expect(services.askedOf(contract).map((input) => input[field])).toEqual([memberId, null]);
  });

  it('ends where a token is made for somebody else', async () => {
    const answer = await ask('POST', '/tokens', { name: 'theirs', callerId: newId('service_account') }, member);
    expect([answer.status, answer.json.code, services.asked]).toEqual([403, 'capability_missing', []]);
  });

  it('is what whoami shows', async () => {
    const { json } = await ask('GET', '/whoami', undefined, member);
    expect(json).toEqual({ id: memberId, kind: 'person', name: 'Mo', email: null, roles: ['member'], teams: [], capabilities: [], scopes: ADMIN, clientId: null });
  });
});

describe('a client', () => {
  it.each(['https://client.example/oauth/metadata.json?a=b&c=%20', `https://client.example/${'x'.repeat(488)}`, 'dcr_abc', `//${'%'.repeat(510)}`])('is named by its id, escaped: %s', async (id) => {
    const path = `/clients/${encodeURIComponent(id)}`;
    const answers = [await ask('POST', `${path}/allow`), await ask('POST', `${path}/deny`), await ask('DELETE', path)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 204]);
    expect(services.askedOf(clientContracts.decideClient).map((input) => [input.id, input.status])).toEqual([[id, 'allowed'], [id, 'denied']]);
    expect(services.askedOf(clientContracts.deleteClient).map((input) => input.id)).toEqual([id]);
  });

  it('cannot have an id beyond 512 characters', async () => {
    const answers = [await ask('DELETE', `/clients/${'x'.repeat(513)}`), await ask('DELETE', `/clients/${encodeURIComponent('/'.repeat(513))}`)];
    expect(answers.map(({ json }) => json.code)).toEqual(['bad_request', 'bad_request']);
    expect(services.asked).toEqual([]);
  });
});

describe('a change that kills access', () => {
  it.each([
    ['PATCH', '/people/per_019a0000-0000-7000-8000-000000000000', { roles: ['member'] }, authContracts.updatePerson],
    ['POST', '/people/per_019a0000-0000-7000-8000-000000000000/disable', undefined, authContracts.disablePerson],
    ['PUT', '/roles/a-role', { capabilities: [] }, accessContracts.putRole],
    ['PUT', '/teams/a-team', {}, accessContracts.putTeam],
    ['DELETE', '/teams/a-team', undefined, accessContracts.deleteTeam],
    ['POST', '/service-accounts/svc_019a0000-0000-7000-8000-000000000000/auth', { auth: { method: 'none' } }, accessContracts.replaceServiceAccountAuth],
    ['POST', '/service-accounts/svc_019a0000-0000-7000-8000-000000000000/disable', undefined, accessContracts.disableServiceAccount],
    ['POST', '/clients/a-client/deny', undefined, clientContracts.decideClient],
    ['DELETE', '/clients/a-client', undefined, clientContracts.deleteClient],
    ['POST', '/grants/a-grant/revoke', undefined, clientContracts.revokeGrant],
    ['POST', '/signing-keys/rotate', { retireNow: true }, clientContracts.rotateSigningKey],
    ['PUT', '/identity-providers/company', { displayName: 'The company', issuer: 'https://id.example', clientId: 'gatehouse', enabled: false }, signInContracts.putIdentityProvider],
    ['DELETE', '/identity-providers/company', undefined, signInContracts.deleteIdentityProvider],
    ['PUT', '/token-issuers/company', { issuer: 'https://id.example' }, signInContracts.putTokenIssuer],
    ['DELETE', '/token-issuers/company', undefined, signInContracts.deleteTokenIssuer],
  ] as const)('%s %s is answered once this edge knows of it', async (method, path, body, contract) => {
    const version = neighbours.directoryVersion + 1;
    let known = false;
    services.answers.set(contract.subject, () => {
      const tell = async (): Promise<void> => {
        known = true;
        neighbours.directoryVersion = version;
        await stage.changed();
      };
      setTimeout(() => void tell(), 60);
      return { ...services.sample(contract), directory: { epoch: neighbours.epoch, version } };
    });
    const asked = Date.now();
    const { status } = await ask(method, path, body);
    services.answers.delete(contract.subject);
    expect([status < 300, known, Date.now() - asked < 900]).toEqual([true, true, true]);
  });
});

describe('what cannot be asked', () => {
  it.each([
    ['GET', '/people/x', 'not_found'],
    ['POST', '/people/svc_019a0000-0000-7000-8000-000000000000/disable', 'not_found'],
    ['PUT', '/roles/Not A Role', 'not_found'],
    ['DELETE', '/roles/..', 'not_found'],
    ['PUT', '/teams/%1b%5b2J', 'not_found'],
    ['POST', '/service-accounts/per_019a0000-0000-7000-8000-000000000000/disable', 'not_found'],
    ['DELETE', '/clients/%20', 'not_found'],
    ['POST', '/grants/a%2Fb/revoke', 'not_found'],
    ['DELETE', '/identity-providers/UPPER', 'not_found'],
    ['DELETE', '/token-issuers/-', 'not_found'],
  ])('%s %s reaches no service', async (method, path, code) => {
    const { json } = await ask(method, path.replace(/ /g, '%20'), method === 'PUT' ? {} : undefined);
    expect([json.code, services.asked]).toEqual([code, []]);
  });

  it('is told by place and never by value', async () => {
    const answer = await ask('PUT', '/teams/a-team', { roles: [`${SECRET} `], groups: [{ provider: 'scim', group: 7, [`${'a/b~c'}`]: 1 }] });
    expect(answer.json.errors.map(({ pointer }: any) => pointer)).toEqual(['/roles/0', '/groups/0/group', '/groups/0']);
    expect(answer.text).not.toContain(SECRET);
  });

  it('is a person that nobody knows', async () => {
    expect((await ask('GET', '/people/per_019a0000-0000-7000-8000-00000000ffff')).json.code).toBe('not_found');
  });
});

describe('the OpenAPI document', () => {
  it('is for everybody, and cheap to ask again', async () => {
    const first = await stage.send('GET', '/api/openapi.json');
    expect([first.status, first.headers['content-type'], first.headers['cache-control'], first.json.openapi]).toEqual([200, 'application/json; charset=utf-8', 'public, max-age=300', '3.1.1']);
    const again = await stage.send('GET', '/api/openapi.json', { 'if-none-match': first.headers.etag! });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', first.headers.etag]);
  });
});
