import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const PREFIX = '/.well-known/oauth-protected-resource';

describe('metadata of protected resources (RFC 9728)', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;

  beforeAll(async () => {
    await neighbours.serve();
    neighbours.addServer('tracker', 'http://127.0.0.1:9/mcp');
    const claims = { name: 'name', email: 'email', groups: 'groups' };
    neighbours.issuers.push({ name: 'company', issuer: 'https://login.company.example', audience: null, claims, provisioning: 'invited', keys: [], logins: [] });
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
  });

  it('names an endpoint as clients spell it, and who gives tokens for it', async () => {
    const { status, headers, json } = await stage.send('GET', `${PREFIX}/mcp/tracker`);
    expect([status, json]).toEqual([
      200,
      {
        resource: 'http://gatehouse.test/mcp/tracker',
        resource_name: 'tracker through Gatehouse',
        authorization_servers: ['http://gatehouse.test', 'https://login.company.example'],
        scopes_supported: ['mcp:access'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
      },
    ]);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=60' });
  });

  it('names the admin API, which takes tokens of ours only', async () => {
    const { status, json } = await stage.send('GET', `${PREFIX}/api/v1`);
    expect([status, json.resource, json.authorization_servers, json.scopes_supported]).toEqual([200, 'http://gatehouse.test/api/v1', ['http://gatehouse.test'], ['admin']]);
  });

  it('is where the challenge says', async () => {
    for (const path of ['/mcp/tracker', '/api/v1/whoami']) {
      const challenge = String((await stage.send('GET', path)).headers['www-authenticate']);
      const url = new URL(/resource_metadata="([^"]+)"/.exec(challenge)![1]!);
      expect([path, (await stage.send('GET', url.pathname)).status]).toEqual([path, 200]);
    }
  });

  it.each(['', '/', '/mcp', '/mcp/', '/mcp/nowhere', '/mcp/tracker/', '/mcp/Tracker', '/mcp/tracker/x', '/api', '/api/v1/', '/api/v2', '//mcp/tracker', '/mcp/%74racker', 's', '-x/mcp/tracker'])(
    'is not at %p',
    async (path) => {
      const answer = await stage.send('GET', PREFIX + path);
      expect([answer.status, answer.json.code, answer.headers['access-control-allow-origin']]).toEqual([404, 'not_found', '*']);
    },
  );

  it('may be read by every page and asked for in the ways of reading alone', async () => {
    const from = { origin: 'https://client.example' };
    const [read, head, preflight] = [await stage.send('GET', `${PREFIX}/mcp/tracker`, from), await stage.send('HEAD', `${PREFIX}/mcp/tracker`, from), await stage.send('OPTIONS', `${PREFIX}/mcp/tracker`, from)];
    expect([read.status, head.status, head.text, head.headers['content-length'], preflight.status]).toEqual([200, 200, '', String(Buffer.byteLength(read.text)), 204]);
    expect([read, head, preflight].map(({ headers }) => [headers['access-control-allow-origin'], headers['access-control-allow-credentials']])).toEqual([['*', undefined], ['*', undefined], ['*', undefined]]);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE']) expect([method, (await stage.send(method, `${PREFIX}/mcp/tracker`)).status]).toEqual([method, 405]);
  });

  it('is not told to who comes by another name (E-18)', async () => {
    expect((await stage.send('GET', `${PREFIX}/mcp/tracker`, { host: 'evil.example' })).status).toBe(403);
    const named = await stage.send('GET', `${PREFIX}/mcp/tracker`, { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' });
    expect(named.json.resource).toBe('http://gatehouse.test/mcp/tracker');
  });

  it('leaves no record but of what was refused', async () => {
    const before = await stage.recordsSoFar();
    await stage.send('GET', `${PREFIX}/mcp/tracker`);
    await stage.send('GET', `${PREFIX}/mcp/nowhere`);
    expect((await stage.recordsAfter(before)).map(({ outcome }) => outcome?.code)).toEqual(['not_found']);
  });
});
