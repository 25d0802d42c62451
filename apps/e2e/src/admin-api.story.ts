import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { adminRoutes, BAD_BODIES, BAD_QUESTIONS, BAD_SERVERS, type AdminRoute, type BadChange } from './hostile-clients/admin-routes.js';
import { rawExchange } from './hostile-clients/raw-http.js';
import { freshToken } from './world/fresh-token.js';
import { admin, eventually, inBothForms, registered } from './world/world.js';
import { AdminApi, type ApiAnswer } from './world/admin-api.js';

const WRONG_TOKEN = 'ghp_gatehouse_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

const byAgent = (records: any[]): Map<string, any[]> => {
  const groups = new Map<string, any[]>();
  for (const record of records) groups.set(record.facts.client.userAgent, [...(groups.get(record.facts.client.userAgent) ?? []), record]);
  return groups;
};

inBothForms('The admin API does for each what they may, and records the rest', (world) => {
  let upstream: Upstream;
  let member: { id: string; token: string };
  let narrow: { id: string; token: string };
  let since: number;
  let routes: AdminRoute[];

  beforeAll(async () => {
    upstream = await startJsonUpstream();
    await registered(world(), { name: 'plain', url: upstream.url });
    const person = await admin(world()).ok('POST', '/people', { name: 'Mo', email: 'mo@example.com' });
    member = await freshToken(world(), { name: 'member', callerId: person.id, scopes: ['mcp:access', 'admin'] });
    narrow = await freshToken(world(), { name: 'narrow', scopes: ['mcp:access'] });
    routes = await adminRoutes(edgeOf(0));
    since = Date.now();
  });

  afterAll(() => upstream.close());

  const edgeOf = (at: number): string => world().edges[at % world().edges.length]!;
  const recordsOf = async (agent: string, count: number): Promise<Map<string, any[]>> =>
    eventually(async () => {
      const { items } = await admin(world()).ok('GET', `/audit/records?since=${since - 1}&limit=1000`);
      const own = items.filter(({ facts }: any) => facts.client.userAgent?.startsWith(`${agent}-`));
      return own.length < count ? undefined : byAgent(own);
    });
  const shown = ({ status, body, headers }: ApiAnswer): unknown => [status, body?.code, headers.get('content-type')?.split(';')[0]];
  const state = async (): Promise<string> => {
    const api = admin(world());
    const lists = await Promise.all(['/servers', '/policies', '/people', '/tokens', '/roles', '/teams', '/service-accounts', '/clients', '/client-registration', '/identity-providers'].map((path) => api.ok('GET', path)));
    const [servers, ...others] = lists.map(({ items, ...settings }) => items ?? settings);
    return JSON.stringify([servers.map(({ name, state: is, revision }: any) => [name, is, revision]), ...others]);
  };

  it('has exactly the routes that its document tells', () => {
    const mapped = [...world().edgeProcesses[0]!.output.matchAll(/Mapped \{(\/api\/[^,]+), (\w+)\}/g)].map(([, path, method]) => `${method} ${path}`);
    expect(mapped.filter((line) => !line.endsWith('/openapi.json')).sort()).toEqual(routes.map(({ method, route }) => `${method} ${route}`).sort());
  });

  it.each([
    ['nobody', () => undefined, () => 'unauthenticated'],
    ['a wrong token', () => WRONG_TOKEN, () => 'unauthenticated'],
    ['a token without the scope', () => narrow.token, () => 'insufficient_scope'],
    ['a member', () => member.token, (need: string) => (need === 'signed-in' ? undefined : 'capability_missing')],
  ] as [string, () => string | undefined, (need: string) => string | undefined][])('refuses %s at every route, with one record each (A-18, A-19)', async (who, token, codeFor) => {
    const before = await state();
    const agent = who.replaceAll(' ', '_');
    const refused = routes.map((row, at) => ({ ...row, at, code: codeFor(row.need) })).filter(({ code }) => code !== undefined);
    const heard = await Promise.all(
      refused.map(async ({ method, path, at }) => {
        const body = method === 'GET' || method === 'DELETE' ? undefined : {};
        const answer = await new AdminApi(edgeOf(at), token()).send(method, path, body, { 'user-agent': `${agent}-${at}` });
        return [method, path, shown(answer), answer.body];
      }),
    );
    const statusOf = (code: string | undefined): number => (code === 'unauthenticated' ? 401 : 403);
    const document = (code: string, path: string): unknown =>
      expect.objectContaining({ type: `https://gatehouse.dev/errors/${code}`, status: statusOf(code), code, title: expect.any(String), instance: `/api/v1${path}` });
    expect(heard).toEqual(refused.map(({ method, path, code }) => [method, path, [statusOf(code), code, 'application/problem+json'], document(code!, path)]));
    const records = await recordsOf(agent, refused.length);
    const written = refused.map(({ at }) => records.get(`${agent}-${at}`)?.map(({ facts, outcome }) => [facts.kind, facts.method, outcome.code, outcome.httpStatus]));
    expect(written).toEqual(refused.map(({ method, route, code }) => [['admin', `${method} ${route}`, code, statusOf(code)]]));
    expect(await state()).toBe(before);
  });

  it('tells somebody without a token what is wanted, and of a wrong token nothing more (A-18)', async () => {
    const [nobody, wrong] = await Promise.all([undefined, WRONG_TOKEN].map((token) => new AdminApi(edgeOf(0), token).send('GET', '/servers')));
    expect(nobody!.headers.get('www-authenticate')).toContain('Bearer');
    expect({ ...wrong!.body, tokenSent: false }).toEqual(nobody!.body);
  });

  it.each([
    ['bodies', BAD_BODIES],
    ['addresses', BAD_SERVERS],
    ['questions', BAD_QUESTIONS],
  ] as [string, readonly BadChange[]][])('refuses bad %s, changes nothing, and records each once', async (group, rows) => {
    const before = await state();
    const heard = await Promise.all(
      rows.map(async (row, at) => {
        const api = new AdminApi(edgeOf(at), world().adminToken);
        return [row.name, shown(await api.send(row.method, row.path, row.body, { 'user-agent': `${group}-${at}`, ...row.headers }))];
      }),
    );
    expect(heard).toEqual(rows.map(({ name, status, code }) => [name, [status, code, 'application/problem+json']]));
    const records = await recordsOf(group, rows.length);
    const written = rows.map(({ name }, at) => [name, records.get(`${group}-${at}`)?.map(({ outcome }) => `${outcome.status} ${outcome.code} ${outcome.httpStatus}`)]);
    expect(written).toEqual(rows.map(({ name, code, status }) => [name, [`refused ${code} ${status}`]]));
    expect(await state()).toBe(before);
  });

  it('names what is wrong in a body by its place, never by its value', async () => {
    const { body } = await admin(world()).send('POST', '/servers', { name: 'wanted', url: 7, auth: { kind: 'headers', headers: [{ name: 'X-Key', value: 'canary-secret-value', secret: 'yes' }] } });
    expect(body.errors.map(({ pointer }: any) => pointer).sort()).toEqual(['/auth/headers/0/secret', '/url']);
    expect(JSON.stringify(body)).not.toContain('canary-secret-value');
  });

  it('lets a member see and revoke their own tokens, and shows no difference between foreign and missing ones', async () => {
    const api = admin(world(), 0, member.token);
    const { items } = await api.ok('GET', '/tokens');
    expect(items.map(({ id }: any) => id)).toEqual([member.id]);
    const [foreign, missing] = await Promise.all([narrow.id, 'tok_019a0000-0000-7000-8000-000000000000'].map((id) => api.send('POST', `/tokens/${id}/revoke`)));
    expect({ ...foreign!.body, instance: '' }).toEqual({ ...missing!.body, instance: '' });
    expect(foreign!.status).toBe(404);
    const own = await api.ok('POST', '/tokens', { name: 'another' });
    expect(own).toMatchObject({ scopes: ['mcp:access'] });
    expect(await api.ok('POST', `/tokens/${own.id}/revoke`)).toMatchObject({ id: own.id, revokedAt: expect.any(Number) });
  });

  it('lets nobody make a token for others, or a wider one than their own', async () => {
    const person = await admin(world()).ok('GET', '/whoami');
    const foreign = await admin(world(), 0, member.token).send('POST', '/tokens', { name: 'x', callerId: person.id });
    expect([foreign.status, foreign.body.code]).toEqual([403, 'capability_missing']);
    const adminOnly = await freshToken(world(), { name: 'admin only', scopes: ['admin'] });
    const wider = await admin(world(), 0, adminOnly.token).send('POST', '/tokens', { name: 'x', scopes: ['mcp:access'] });
    expect([wider.status, wider.body.code]).toEqual([403, 'insufficient_scope']);
    const call = await fetch(`${edgeOf(0)}/mcp/plain`, { method: 'POST', headers: { authorization: `Bearer ${adminOnly.token}` } });
    expect([call.status, call.headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('insufficient_scope')]);
  });

  it('lets a role of one\'s own do what it says until it says less, and no narrower role gives more than it has', async () => {
    const capabilities = ['audit.read', 'people.read', 'people.manage'];
    await admin(world()).ok('PUT', '/roles/registrar', { description: 'Adds people', capabilities });
    const registrar = await admin(world()).ok('POST', '/people', { name: 'Rae', roles: ['registrar'] });
    const { token } = await freshToken(world(), { name: 'hers', callerId: registrar.id, scopes: ['admin'] });
    const asks = new AdminApi(edgeOf(0), token);
    expect(await asks.ok('GET', '/whoami')).toMatchObject({ id: registrar.id, kind: 'person', roles: ['registrar'], capabilities: expect.arrayContaining(capabilities), clientId: null });
    expect([(await asks.send('GET', '/people')).status, (await asks.send('GET', '/servers')).status]).toEqual([200, 403]);
    const added = await asks.ok('POST', '/people', { name: 'Guest' });
    const more = [
      await asks.send('POST', '/people', { name: 'Eve', roles: ['administrator'] }),
      await asks.send('PATCH', `/people/${registrar.id}`, { roles: ['administrator'] }),
      await asks.send('PUT', '/teams/hers', { roles: ['operator'] }),
      await asks.send('POST', '/service-accounts', { name: 'hers', roles: ['administrator'] }),
      await asks.send('PUT', '/roles/registrar', { capabilities: ['servers.manage'] }),
    ];
    expect(more.map(({ status, body }) => [status, body.code])).toEqual(more.map(() => [403, 'capability_missing']));
    await admin(world()).ok('PUT', '/roles/registrar', { capabilities: ['audit.read'] });
    expect([(await asks.send('PATCH', `/people/${added.id}`, { name: 'x' })).status, (await asks.send('GET', '/people')).status]).toEqual([403, 403]);
  });

  it('shows a secret where it is made and nowhere after', async () => {
    const job = await admin(world()).ok('POST', '/service-accounts', { name: 'nightly', auth: { method: 'secret' } });
    const anew = await admin(world()).ok('POST', `/service-accounts/${job.id}/auth`, { auth: { method: 'secret' } });
    const client = await admin(world()).ok('POST', '/clients', { name: 'Reports', redirectUris: ['https://reports.example/cb'], authMethod: 'client_secret_basic' });
    const secrets = [job.secret, anew.secret, client.secret];
    expect([new Set(secrets).size, secrets.every((secret) => secret.length >= 32)]).toEqual([3, true]);
    const lists = await Promise.all(['/service-accounts', '/clients', `/audit/records?since=${since - 1}&limit=1000`].map((path) => admin(world()).ok('GET', path)));
    expect(secrets.filter((secret) => JSON.stringify(lists).includes(secret))).toEqual([]);
  });

  it('answers no verb and no spelling without asking who it is (E-19)', async () => {
    const host = new URL(edgeOf(0)).host;
    const ask = (method: string, path: string): Promise<number> =>
      rawExchange(edgeOf(0), `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`).then(({ status }) => status);
    const answers = await Promise.all(
      ['HEAD /api/v1/servers', 'HEAD /api/v1/people', 'OPTIONS /api/v1/servers', 'TRACE /api/v1/servers', 'GET /api/v1/servers/', 'GET /api//v1/servers', 'GET /API/v1/servers', 'GET /api/v1/servers;x', 'GET /api/v1/servers%2f', 'GET /x/../api/v1/servers'].map(
        async (line) => [line, await ask(...(line.split(' ') as [string, string]))] as const,
      ),
    );
    expect(answers.filter(([, status]) => status !== 401 && status !== 404)).toEqual([]);
    expect(answers.slice(0, 2).map(([, status]) => status)).toEqual([401, 401]);
  });

  it('a body that breaks off is refused and recorded once', async () => {
    const host = new URL(edgeOf(0)).host;
    const head = `POST /api/v1/servers HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: broken-0\r\nAuthorization: Bearer ${world().adminToken}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await rawExchange(edgeOf(0), `${head}zz\r\n`);
    expect([answer.status, answer.closed]).toEqual([400, true]);
    const records = await recordsOf('broken', 1);
    expect(records.get('broken-0')).toHaveLength(1);
  });

  it('records every change once, with who made it and what it was', async () => {
    const api = new AdminApi(edgeOf(0), world().adminToken);
    const headers = (at: number): Record<string, string> => ({ 'user-agent': `change-${at}` });
    expect((await api.send('POST', '/servers/plain/stop', undefined, headers(0))).status).toBe(200);
    expect((await api.send('POST', '/servers/plain/start', undefined, headers(1))).status).toBe(200);
    expect((await api.send('GET', '/servers', undefined, headers(2))).status).toBe(200);
    const records = await recordsOf('change', 2);
    expect([...records.keys()].sort()).toEqual(['change-0', 'change-1']);
    const [stopped] = records.get('change-0')!;
    expect(stopped.facts).toMatchObject({ kind: 'admin', method: 'POST /api/v1/servers/:name/stop', target: 'plain', caller: { kind: 'person' } });
    expect(stopped.outcome).toMatchObject({ status: 'ok', httpStatus: 200, code: null });
  });
});
