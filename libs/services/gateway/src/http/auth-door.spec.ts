import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

/** A request as auth got it. */
interface Got {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
  aborted: boolean;
}

const FORM = 'application/x-www-form-urlencoded';

describe.each(['in the same process', 'at an address'])('the door to auth, %s', (form) => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let server: Server;
  const got: Got[] = [];
  let script: (request: IncomingMessage, response: ServerResponse, body: string) => void = (_request, response) => void response.end('ok');
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request;
    const seen: Got = { method, url, headers, rawHeaders, body: '', aborted: false };
    got.push(seen);
    response.once('close', () => (seen.aborted = !response.writableFinished));
    request.on('data', (chunk: Buffer) => (seen.body += chunk.toString()));
    request.on('end', () => script(request, response, seen.body));
  };

  beforeAll(async () => {
    await neighbours.serve();
    server = createServer({ keepAliveTimeout: 5_000 }, listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const authUrl = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const publicUrl = new URL('https://gatehouse.test');
    stage = form === 'at an address' ? await EdgeStage.start(neighbours, { authUrl, publicUrl }) : await EdgeStage.start(neighbours, { publicUrl }, undefined, listener);
    await stage.ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    server.closeAllConnections();
    server.close();
  });

  let records = 0;
  beforeEach(async () => {
    got.length = 0;
    script = (_request, response) => void response.end('ok');
    records = await stage.recordsSoFar();
  });

  const post = (path: string, body: string, headers: Record<string, string | string[]> = {}) => stage.send('POST', path, { 'content-type': FORM, ...headers }, body);

  it('passes method, path, query and body on, for every path of the table', async () => {
    const paths = [
      ...['/authorize?client_id=x&state=a%2Fb', '/authorize/abc', '/token', '/register', '/register/dcr_1', '/revoke', '/par', '/jwks', '/session/end', '/interaction/abc-_.~1', '/login', '/login/callback?code=1'],
      ...['/logout/backchannel', '/scim/v2/Users?filter=userName%20eq%20%22a%22', '/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User', '/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/mcp/x', '/.well-known/openid-configuration'],
    ];
    for (const path of paths) expect([path, (await post(path, 'a=1&b=%20')).text]).toEqual([path, 'ok']);
    expect(got.map(({ method, url, body }) => [method, url, body])).toEqual(paths.map((path) => ['POST', path, 'a=1&b=%20']));
  });

  it.each([
    ...['/authorizes', '/tokens', '/token2', '/login.php', '/Login', '/scim', '/scim/v1/Users', '/scim/v2x', '/.well-known/oauth', '/.well-known/openid', '/oauth2/callback', '/connected', '//token', '/./token', '/x/../token'],
    ...['/token/../api/v1/people', '/interaction/..%2f..%2ftoken', '/interaction/%2e%2e/token', '/interaction/a%00b', '/login//callback', '/token;x=1', '/token\\..', '/interaction/a%5cb', '/interaction/a%252fb', '/%74oken', 'http://gatehouse.test/token'],
  ])('does not pass %s on', async (path) => {
    const answer = await stage.send('GET', path, {});
    expect([answer.status >= 400, got]).toEqual([true, []]);
  });

  it('tells auth the public host, the scheme and the address of the socket, whatever the client says', async () => {
    await post('/token', 'a=1', {
      ...{ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'ftp', 'x-forwarded-port': '1', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9', via: '1.1 evil' },
      ...{ 'x-gatehouse-record': '{}', 'x-gatehouse-caller': 'per_admin', 'x-original-url': '/admin', 'x-http-method-override': 'DELETE', 'proxy-authorization': 'Basic x', te: 'trailers', connection: 'close, x-hop', 'x-hop': '1' },
      ...{ cookie: 'gh_s=1; other=2', authorization: 'Basic abc', 'user-agent': 'agent/1', dpop: 'a.b.c', origin: 'https://client.example', 'x-own': 'kept' },
    });
    const { headers, rawHeaders } = got[0]!;
    expect(headers).toMatchObject({ host: 'gatehouse.test', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https', cookie: 'gh_s=1; other=2', authorization: 'Basic abc', 'user-agent': 'agent/1', dpop: 'a.b.c', 'x-own': 'kept' });
    const stripped = ['x-forwarded-host', 'x-forwarded-port', 'forwarded', 'x-real-ip', 'via', 'x-gatehouse-record', 'x-gatehouse-caller', 'x-original-url', 'x-http-method-override', 'proxy-authorization', 'te', 'x-hop'];
    expect(stripped.filter((name) => name in headers || rawHeaders.some((raw) => raw.toLowerCase() === name))).toEqual([]);
    expect(JSON.stringify(rawHeaders)).not.toMatch(/203\.0\.113\.9|evil/);
  });

  it('lets nothing of the answer out but what is on the list, cookies and redirects among it', async () => {
    script = (_request, response) => {
      response.setHeader('set-cookie', ['a=1; HttpOnly', 'b=2']);
      response.setHeader('server', 'auth');
      response.writeHead(303, { location: 'https://client.example/cb?code=1', 'x-powered-by': 'x', 'x-gatehouse-record': '{"kind":"k"}', 'x-internal': '10.0.0.1', 'cache-control': 'no-store', 'content-security-policy': "default-src 'none'", 'www-authenticate': 'Basic', 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' });
      response.end();
    };
    const { status, headers } = await stage.send('GET', '/authorize');
    const { date: _date, connection: _connection, 'keep-alive': _alive, 'transfer-encoding': _framing, 'content-length': _length, ...rest } = headers;
    expect([status, rest]).toEqual([303, { 'set-cookie': ['a=1; HttpOnly', 'b=2'], location: 'https://client.example/cb?code=1', 'cache-control': 'no-store', 'content-security-policy': "default-src 'none'", 'www-authenticate': 'Basic', 'access-control-allow-origin': '*' }]);
  });

  it('lets pages of anybody ask where clients of browsers must, and nowhere else', async () => {
    const from = { origin: 'https://client.example' };
    for (const path of ['/token', '/register', '/revoke', '/par', '/jwks', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) expect([path, (await stage.send('OPTIONS', path, from)).status]).toEqual([path, 200]);
    for (const path of ['/authorize', '/login', '/interaction/x', '/session/end', '/logout', '/scim/v2/Users']) expect([path, (await post(path, 'a=1', from)).status]).toEqual([path, 403]);
    for (const path of ['/login', '/interaction/x']) expect((await post(path, 'a=1', { origin: 'https://gatehouse.test' })).status).toBe(200);
    for (const host of ['evil.example', 'gatehouse.test.evil.example']) expect((await post('/token', 'a=1', { host })).status).toBe(403);
    expect((await post('/token', 'a=1', { authorization: ['Basic a', 'Basic b'] })).status).toBe(400);
  });

  it('writes the record that auth asks for, once, and takes the asking off', async () => {
    const said = { kind: 'token_issued', code: null, callerId: 'svc_1', callerName: 'robot', clientId: 'dcr_1', target: 'https://gatehouse.test/mcp/x' };
    script = (_request, response) => void response.writeHead(200, { 'x-gatehouse-record': JSON.stringify(said) }).end('{}');
    const answer = await post('/token?secret=1', 'code=hunter2', { 'user-agent': 'agent/1' });
    expect(answer.headers['x-gatehouse-record']).toBeUndefined();
    const written = await stage.recordsAfter(records);
    expect(written).toMatchObject([
      { facts: { kind: 'auth', method: 'POST /token', target: 'https://gatehouse.test/mcp/x', caller: { kind: 'service_account', id: 'svc_1', name: 'robot', address: '127.0.0.1' }, client: { id: 'dcr_1', userAgent: 'agent/1' } }, outcome: { status: 'ok', code: null, httpStatus: 200 } },
    ]);
    expect(JSON.stringify(written)).not.toMatch(/hunter2|secret/);
  });

  it('writes a record of what auth refused inside a redirect, by the code it names', async () => {
    script = (_request, response) => void response.writeHead(303, { location: '/', 'x-gatehouse-record': '{"kind":"sign_in_refused","code":"unauthenticated"}' }).end();
    await stage.send('GET', '/login/callback?state=x');
    expect(await stage.recordsAfter(records)).toMatchObject([{ facts: { method: 'GET /login', target: 'sign_in_refused', caller: { kind: 'anonymous' } }, outcome: { status: 'refused', code: 'unauthenticated', httpStatus: 303 } }]);
  });

  it.each<[string, string, number, number]>([
    ['GET', '/login', 200, 0],
    ['GET', '/authorize', 303, 0],
    ['OPTIONS', '/token', 204, 0],
    ['GET', '/interaction/secret-id', 404, 1],
    ['POST', '/token', 200, 1],
    ['POST', '/token', 400, 1],
    ['DELETE', '/scim/v2/Users/1', 204, 1],
  ])('writes for %s %s answered with %d: %d records, without ids of paths', async (method, path, status, count) => {
    script = (_request, response) => void response.writeHead(status).end();
    await stage.send(method, path);
    const written = await (count === 0 ? stage.recordsSoFar().then(() => neighbours.records().slice(records)) : stage.recordsAfter(records));
    expect(written.map(({ facts, outcome }) => [facts.kind, outcome?.httpStatus])).toEqual(Array.from({ length: count }, () => ['auth', status]));
    expect(JSON.stringify(written)).not.toContain('secret-id');
  });

  it.each(['', '{', '[]', 'null', '{"kind":7}', `{"kind":"${'x'.repeat(200)}"}`])('takes a record header %p for none', async (value) => {
    script = (_request, response) => void response.writeHead(200, { 'x-gatehouse-record': value }).end();
    expect((await post('/token', 'a=1')).status).toBe(200);
    expect(await stage.recordsAfter(records)).toMatchObject([{ facts: { target: null }, outcome: { code: null } }]);
  });

  it('refuses bodies over the limit: 64 KiB, and a mebibyte for provisioning', async () => {
    expect((await post('/token', 'x'.repeat(65_536))).status).toBe(200);
    expect((await post('/scim/v2/Bulk', 'x'.repeat(1_048_576))).status).toBe(200);
    const passed = got.length;
    expect((await post('/token', 'x'.repeat(65_537))).status).toBe(413);
    expect((await post('/scim/v2/Bulk', 'x'.repeat(1_048_577))).status).toBe(413);
    expect(got).toHaveLength(passed);
  });

  // A body without an announced length must stay a body on the way: read as a request, it could say anything about itself.
  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])('passes a body in pieces on as a body with %s (E-17)', async (method) => {
    const inner = 'POST /register HTTP/1.1\r\nHost: x\r\nX-Gatehouse-Record: {}\r\nContent-Length: 0\r\n\r\n';
    const socket = connect(stage.gateway.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (more: string) => (text += more)).on('error', () => undefined);
    const chunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    socket.write(`${method} /token HTTP/1.1\r\nHost: gatehouse.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    await eventually(() => text.includes('\r\n\r\n'));
    await sleep(50);
    socket.destroy();
    expect(got.map(({ url, body }) => [url, body])).toEqual([['/token', inner]]);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('lets auth know when the client leaves, and puts it on record', async () => {
    script = () => undefined;
    const call = httpRequest({ host: '127.0.0.1', port: stage.gateway.port, method: 'POST', path: '/token', headers: { host: 'gatehouse.test' }, agent: false });
    call.on('error', () => undefined).end('a=1');
    await eventually(() => got.length === 1);
    call.destroy();
    await eventually(() => got[0]!.aborted);
    expect(await stage.recordsAfter(records)).toMatchObject([{ facts: { method: 'POST /token' }, outcome: { status: 'cancelled', httpStatus: null } }]);
  });

  it.each(['TRACE', 'PROPFIND'])('does not pass %s on', async (method) => {
    const answer = await stage.send(method, '/token');
    expect([answer.status, answer.json.code, got]).toEqual([405, 'method_not_allowed', []]);
  });
});

describe('an edge whose auth is away', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;

  beforeAll(async () => {
    await neighbours.serve();
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const authUrl = new URL(`http://127.0.0.1:${(closed.address() as AddressInfo).port}`);
    closed.close();
    await once(closed, 'close');
    stage = await (await EdgeStage.start(neighbours, { authUrl })).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
  });

  it('says so: to programs by a problem document, to people by a page', async () => {
    const before = await stage.recordsSoFar();
    const answer = await stage.send('POST', '/token', { accept: 'application/json' }, '{}');
    expect([answer.status, answer.headers['content-type'], answer.json.code, answer.headers['retry-after']]).toEqual([503, 'application/problem+json', 'service_unavailable', '1']);
    const page = await stage.send('GET', '/login', { accept: 'text/html,*/*' });
    expect([page.status, page.headers['content-type'], page.text]).toEqual([503, 'text/html; charset=utf-8', expect.stringContaining('<h1>')]);
    expect((await stage.recordsAfter(before, 2)).map(({ facts, outcome }) => [facts.method, outcome?.code])).toEqual([['POST /token', 'service_unavailable'], ['GET /login', 'service_unavailable']]);
  });
});

describe('an edge and auth that talk over TLS', () => {
  const neighbours = new Neighbours();
  const authority = new TestAuthority();
  let server: Server;
  let authUrl: URL;

  beforeAll(async () => {
    await neighbours.serve();
    const { cert, key } = authority.issue({ names: ['localhost'] });
    server = createTlsServer({ cert, key }, (_request, response) => void response.end('over TLS')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    authUrl = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
  }, 20_000);

  afterAll(async () => {
    await neighbours.close();
    server.closeAllConnections();
    server.close();
  });

  it('understand each other when the authority is trusted, and never otherwise', async () => {
    const answers: number[] = [];
    for (const trustedCas of [[authority.certificate], [new TestAuthority().certificate], []]) {
      const stage = await (await EdgeStage.start(neighbours, { authUrl, trustedCas })).ready();
      answers.push((await stage.send('GET', '/login')).status);
      await stage.close();
    }
    expect(answers).toEqual([200, 503, 503]);
  }, 20_000);
});

describe('an edge that was told of no auth', () => {
  it('has nothing at these paths', async () => {
    const neighbours = new Neighbours();
    await neighbours.serve();
    const stage = await (await EdgeStage.start(neighbours)).ready();
    for (const path of ['/token', '/login', '/scim/v2/Users', '/.well-known/openid-configuration']) expect([path, (await stage.send('GET', path)).status]).toEqual([path, 404]);
    await stage.close();
    await neighbours.close();
  }, 20_000);
});
