import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerHonestly, startRawUpstream, type Upstream } from '@gatehouse/testing';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { b64, claimsFor, headerFor, hmacSigned, listed, newMintKey, signed, type Members } from './token-mint.conformance.js';

const ORIGIN = 'http://gatehouse.test';
const RESOURCE = `${ORIGIN}/mcp/tracker`;
const ASKED = `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp/tracker", scope="mcp:access"`;
const key = newMintKey('key_at');
const stranger = newMintKey('key_at');
const retired = newMintKey('key_retired');
const rsa = newMintKey('key_at', 'RS256');

const person = 'per_0190c0de-0000-7000-8000-000000000001';
const now = Math.floor(Date.now() / 1_000);
const header = headerFor(key);
const claims = claimsFor(person, RESOURCE);
const valid = signed(header, claims, key);
const [head, body, signature] = valid.split('.') as [string, string, string];
const spki = key.publicKey.export({ format: 'der', type: 'spki' });
const pem = key.publicKey.export({ format: 'pem', type: 'spki' }) as string;
const jwk = key.publicKey.export({ format: 'jwk' });

const withHeader = (more: Members): string => signed({ ...header, ...more }, claims, key);
const withClaims = (more: Members): string => signed(header, { ...claims, ...more }, key);

/** Values of every kind in the place of one that is right. */
const WRONG: unknown[] = [null, true, 0, -1, 1.5, 1e308, '', ' ', 'x', [], {}, ['x'], { x: 1 }, '__proto__', '\u0000'];

function altered(): [string, string][] {
  const found: [string, string][] = [];
  for (const name of ['alg', 'typ', 'kid']) {
    found.push([`header without ${name}`, withHeader({ [name]: undefined })]);
    for (const value of [...WRONG, [header[name]], `${String(header[name])} `, `${String(header[name])}\u0000`]) found.push([`header ${name} ${JSON.stringify(value)}`, withHeader({ [name]: value })]);
  }
  for (const name of ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'gid', 'scope']) {
    found.push([`no ${name}`, withClaims({ [name]: undefined })]);
    for (const value of WRONG.filter((each) => !(name === 'client_id' && ['x', '__proto__'].includes(each as string)) && !isHarmless(name, each))) {
      found.push([`${name} ${JSON.stringify(value)}`, withClaims({ [name]: value })]);
    }
    found.push([`${name} in an array`, withClaims({ [name]: [claims[name]] })]);
  }
  return found;
}

// An id of another grant, an earlier time of issue, another scope: each is what another valid token says.
function isHarmless(name: string, value: unknown): boolean {
  if (name === 'iat') return value === 0 || value === 1.5;
  if (name === 'scope') return typeof value === 'string';
  return (name === 'jti' || name === 'gid') && (value === 'x' || value === '__proto__');
}

function headers(): [string, string][] {
  const url = 'http://127.0.0.1:1/keys';
  const added: Members[] = [
    { jku: url }, { x5u: url }, { jwk }, { x5c: [spki.toString('base64')] }, { x5t: 'x' }, { crit: [] }, { crit: ['b64'], b64: false }, { crit: ['exp'], exp: 1 },
    { b64: false }, { b64: true }, { zip: 'DEF' }, { enc: 'A256GCM' }, { cty: 'JWT' }, { nonce: 'x' }, { epk: jwk }, { p2c: 1 }, { kid2: 'x' }, { constructor: 1 },
  ];
  const kids = ['../../../etc/passwd', '/dev/null', "x' OR 1=1", 'key_at/../key_at', 'KEY_AT', 'key_retired', 'file:///etc/passwd', 'http://127.0.0.1/', '%6bey_at', 'constructor', '0', ['key_at'], { id: 'key_at' }];
  const types = ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'at+jwt;x', 'dpop+jwt', 'logout+jwt', 'oauth-id-jag+jwt', 'JOSE', 'id+jwt'];
  const algs = ['none', 'None', 'NONE', 'nOnE', 'HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'Ed25519', 'es256', 'ECDH-ES', 'dir', 'RSA-OAEP', 'A256KW'];
  return [
    ...added.map((more): [string, string] => [`header with ${Object.keys(more).join()}`, withHeader(more)]),
    ...kids.map((kid): [string, string] => [`kid ${JSON.stringify(kid)}`, withHeader({ kid })]),
    ...types.map((typ): [string, string] => [`typ ${typ}`, withHeader({ typ })]),
    ...algs.map((alg): [string, string] => [`alg ${alg} with a signature`, withHeader({ alg })]),
    ...algs.map((alg): [string, string] => [`alg ${alg} without a signature`, `${b64({ ...header, alg })}.${body}.`]),
    ...[pem, spki, JSON.stringify(jwk), Buffer.from(String(jwk.x), 'base64url'), '', 'key_at', pem.trim()].map((secret, at): [string, string] => [`HS256 with the public key, spelling ${at}`, hmacSigned({ ...header, alg: 'HS256' }, claims, secret)]),
    ...[pem, spki].map((secret, at): [string, string] => [`an HMAC under ES256, spelling ${at}`, hmacSigned(header, claims, secret)]),
  ];
}

function values(): [string, string][] {
  const auds = [`${RESOURCE}/`, `${RESOURCE}?`, `${RESOURCE}#`, ORIGIN, `${ORIGIN}/`, `${ORIGIN}/mcp`, `${ORIGIN}/mcp/`, `${ORIGIN}/mcp/other`, `${ORIGIN}/mcp/Tracker`, `${ORIGIN}/MCP/tracker`, `${ORIGIN}//mcp/tracker`, `${ORIGIN}/api/v1`, 'https://gatehouse.test/mcp/tracker', 'http://gatehouse.test:80/mcp/tracker', 'http://GATEHOUSE.test/mcp/tracker', 'gatehouse.test/mcp/tracker', '/mcp/tracker', 'tracker', '*', 'dcr_client'];
  const lists = [[RESOURCE, RESOURCE], [RESOURCE, 'x'], [`${ORIGIN}/mcp/other`, RESOURCE], [[RESOURCE]], { 0: RESOURCE }];
  const issuers = [`${ORIGIN}/`, 'https://gatehouse.test', 'http://gatehouse.test.evil.example', 'HTTP://GATEHOUSE.TEST', `${ORIGIN}:80`, `${ORIGIN}/mcp/tracker`, 'http://evil.example', 'gatehouse.test'];
  const times: Members[] = [
    { exp: now - 61 }, { exp: now - 3_600 }, { exp: 1 }, { exp: -now }, { exp: String(now + 60) }, { exp: now * 1_000_000 }, { nbf: now + 120 }, { nbf: now + 3_600 }, { nbf: 'x' }, { nbf: null }, { nbf: -1 },
    { iat: now + 120 }, { iat: now + 86_400 }, { iat: String(now) }, { exp: new Date().toISOString() }, { iat: now + 3_500, exp: now + 3_600 },
  ];
  const others: Members[] = [
    { sub: 'per_0190c0de-0000-7000-8000-000000000002' }, { sub: person.toUpperCase() }, { sub: `${person} ` }, { sub: `${person}\u0000` }, { sub: 'ada' }, { client_id: 'with space' }, { client_id: 'x'.repeat(600) },
    { gid: 'a/b' }, { gid: 'x'.repeat(200) }, { jti: 'a b' }, { cnf: {} }, { cnf: { jkt: 'short' } }, { cnf: { 'x5t#S256': 'A'.repeat(43) } }, { cnf: { jkt: 'A'.repeat(43), jwk } }, { cnf: null }, { cnf: 'x' }, { cnf: { jkt: 'A'.repeat(43) } },
  ];
  return [
    ...auds.map((aud): [string, string] => [`aud ${aud}`, withClaims({ aud })]),
    ...lists.map((aud): [string, string] => [`aud ${JSON.stringify(aud)}`, withClaims({ aud })]),
    ...issuers.map((iss): [string, string] => [`iss ${iss}`, withClaims({ iss })]),
    ...[...times, ...others].map((more): [string, string] => [JSON.stringify(more), withClaims(more)]),
  ];
}

function spellings(): [string, string][] {
  const text = JSON.stringify(claims);
  const inner = text.slice(1, -1);
  const raw = (h: string, p: string | Buffer): string => signed(h, p, key);
  const twice = (name: string): string => `{${inner},${JSON.stringify(name)}:${JSON.stringify(claims[name])}}`;
  const der = toDer(Buffer.from(signature, 'base64url'));
  const other = signed(header, { ...claims, sub: 'per_0190c0de-0000-7000-8000-000000000002' }, key);
  const found: [string, string][] = [
    ...['iss', 'aud', 'sub', 'exp', 'gid', 'jti', 'scope', 'client_id'].map((name): [string, string] => [`${name} twice`, raw(JSON.stringify(header), twice(name))]),
    ...['alg', 'typ', 'kid'].map((name): [string, string] => [`header ${name} twice`, raw(`{${JSON.stringify(header).slice(1, -1)},"${name}":"${String(header[name])}"}`, text)]),
    ['aud twice with an escape', raw(JSON.stringify(header), `{${inner},"\\u0061ud":"${RESOURCE}"}`)],
    ['__proto__ in the claims', raw(JSON.stringify(header), `{${inner},"__proto__":{"scope":"admin"}}`)],
    ['claims that are an array', raw(JSON.stringify(header), `[${text}]`)],
    ['claims that are text', raw(JSON.stringify(header), JSON.stringify(text))],
    ['claims that are a number', raw(JSON.stringify(header), '1')],
    ['claims with a comment', raw(JSON.stringify(header), `${text}//`)],
    ['claims with a byte order mark', raw(JSON.stringify(header), `\ufeff${text}`)],
    ['claims that are not UTF-8', raw(JSON.stringify(header), Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0x7d])]))],
    ['claims nested too deep', raw(JSON.stringify(header), `{${inner},"x":${'['.repeat(100)}${']'.repeat(100)}}`)],
    ['a header that is an array', raw(`[${JSON.stringify(header)}]`, text)],
    ['DER signature', `${head}.${body}.${der.toString('base64url')}`],
    ['signature of zeros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    ['random signature', `${head}.${body}.${randomBytes(64).toString('base64url')}`],
    ['signature of another payload', `${head}.${body}.${other.split('.')[2]!}`],
    ['payload of another token', `${head}.${other.split('.')[1]!}.${signature}`],
    ['another key under the same id', signed(header, claims, stranger)],
    ['a key that is not listed', signed({ ...header, kid: 'key_retired' }, claims, retired)],
    ['an RSA key under the same id', signed({ ...header, alg: 'RS256' }, claims, rsa)],
    ['no signature', `${head}.${body}.`],
    ['no signature and no dot', `${head}.${body}`],
    ['no payload', `${head}..${signature}`],
    ['no header', `.${body}.${signature}`],
    ['dots alone', '..'],
    ['more dots', `${valid}.`],
    ['a dot before', `.${valid}`],
    ['four parts', `${valid}.${signature}`],
    ['five parts', `${valid}.${body}.${signature}`],
    ['an encrypted token', `${b64({ alg: 'dir', enc: 'A256GCM' })}..${b64(randomBytes(12))}.${b64(randomBytes(40))}.${b64(randomBytes(16))}`],
    ['an encrypted token with our header', `${head}.${body}.${b64(randomBytes(12))}.${b64(randomBytes(40))}.${b64(randomBytes(16))}`],
    ['padding', `${valid}=`],
    ['padding after each part', `${head}=.${body}=.${signature}==`],
    ['the alphabet of standard base64', `${head}.${body}.${Buffer.from(signature, 'base64url').toString('base64').replace(/=+$/, '').replace(/^./, '+')}`],
    ['twice', `${valid}${valid}`],
    ['9 KiB of claims', withClaims({ padding: 'x'.repeat(9_000) })],
    ['a signed JSON in place of a compact form', b64({ payload: body, protected: head, signature })],
    ['an HMAC key named by kid', `${head}.${body}.${createHmac('sha256', 'key_at').update(`${head}.${body}`).digest('base64url')}`],
  ];
  for (let cut = 1; cut <= 40; cut++) found.push([`cut by ${cut}`, valid.slice(0, -cut)]);
  return found;
}

/** The last characters of each part hold bits that lenient decoders drop; the others change what is said. */
function flips(): [string, string][] {
  const found: [string, string][] = [];
  [head, body, signature].forEach((part, at) => {
    const places = [0, 1, Math.floor(part.length / 3), Math.floor(part.length / 2), part.length - 2, part.length - 1];
    for (const place of places) {
      for (const bit of [1, 2, 4, 8]) {
        const index = ALPHABET.indexOf(part[place]!) ^ bit;
        const parts = [head, body, signature];
        parts[at] = part.slice(0, place) + ALPHABET[index]! + part.slice(place + 1);
        found.push([`bit ${bit} of character ${place} of part ${at}`, parts.join('.')]);
      }
    }
  });
  return found;
}

// What is no token by the grammar of the header is none that was sent.
const challengeFor = (token: string): string => `Bearer ${ASKED}${/^[\w.~+/-]+=*$/.test(token) ? ', error="invalid_token"' : ''}`;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function toDer(raw: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const trimmed = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
    const value = trimmed[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed;
    return Buffer.concat([Buffer.from([2, value.length]), value]);
  };
  const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}

describe('access tokens that are not ours, not whole or not for here (A-01)', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: Upstream;
  const ping = (token: string) => stage.post('tracker', token, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startRawUpstream(({ rpc, response }) => answerHonestly(rpc, response));
    neighbours.addServer('tracker', upstream.url);
    neighbours.addServer('other', upstream.url);
    neighbours.setPolicy('permit(principal, action, resource);');
    neighbours.addCaller('ada', person);
    neighbours.keys.push(listed(key));
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
  });

  const attacks = (): [string, string][] => [...altered(), ...headers(), ...values(), ...spellings(), ...flips()];

  it('are refused, each with a challenge, and nothing of them reaches a server', async () => {
    const before = upstream.requests.length;
    const survivors: string[] = [];
    const all = attacks();
    for (const [name, token] of all) {
      const answer = await ping(token);
      const said = answer.headers['www-authenticate'];
      if (answer.status !== 401 || said !== challengeFor(token) || answer.json?.error?.code !== 1001) survivors.push(`${name}: ${answer.status} ${String(said)}`);
    }
    expect(survivors).toEqual([]);
    expect(upstream.requests.length).toBe(before);
    expect(all.length).toBeGreaterThan(400);
    expect(new Set(all.map(([, token]) => token)).size).toBeGreaterThan(395);
  }, 60_000);

  it('are refused the same way after the valid one was accepted', async () => {
    expect((await ping(valid)).status).toBe(200);
    const before = upstream.requests.length;
    const accepted: string[] = [];
    for (const [name, token] of [...spellings(), ...flips()]) if ((await ping(token)).status !== 401) accepted.push(name);
    expect(accepted).toEqual([]);
    expect(upstream.requests.length).toBe(before);
  }, 60_000);

  it('are refused at another endpoint and at the admin API, though they were accepted here', async () => {
    const other = await stage.post('other', valid, { jsonrpc: '2.0', id: 1, method: 'ping' });
    expect([other.status, other.headers['www-authenticate']]).toEqual([401, `Bearer ${ASKED.replace('tracker', 'other')}, error="invalid_token"`]);
    const admin = await stage.send('GET', '/api/v1/whoami', { authorization: `Bearer ${valid}` });
    expect([admin.status, admin.headers['www-authenticate']]).toEqual([401, `Bearer resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/api/v1", scope="admin", error="invalid_token"`]);
  });

  it.each(['GET', 'DELETE', 'POST'])('are asked for with %s too, and the same at endpoints that do not exist', async (method) => {
    for (const slug of ['tracker', 'nowhere']) {
      const asked = ASKED.replace('tracker', slug);
      const [none, wrong] = [await stage.send(method, `/mcp/${slug}`), await stage.send(method, `/mcp/${slug}`, { authorization: `Bearer ${flips()[0]![1]}` })];
      expect([none.status, none.headers['www-authenticate']]).toEqual([401, `Bearer ${asked}`]);
      expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([401, `Bearer ${asked}, error="invalid_token"`]);
    }
  });

  it('are not read from anywhere but the header (E-21)', async () => {
    const answers = [
      await stage.send('POST', `/mcp/tracker?access_token=${valid}`, {}, '{}'),
      await stage.send('POST', '/mcp/tracker', { cookie: `access_token=${valid}` }, '{}'),
      await stage.send('POST', '/mcp/tracker', { 'x-access-token': valid }, '{}'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect((await stage.send('POST', '/mcp/tracker', { authorization: `Bearer ${valid}`, dpop: ['a', 'b'] }, '{}')).status).toBe(400);
  });

  it('lack a scope: 403 with exactly the one that is missing (A-16)', async () => {
    for (const scope of ['other', 'mcp:accessx', 'MCP:ACCESS', 'admin', 'mcp:access,admin']) {
      const answer = await ping(withClaims({ scope }));
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, `Bearer ${ASKED}, error="insufficient_scope"`]);
    }
  });

  it('are accepted within a minute of clock skew, on both sides', async () => {
    for (const more of [{ exp: now - 30 }, { nbf: now + 50 }, { iat: now + 50 }, { nbf: now - 5 }]) expect([more, (await ping(withClaims(more))).status]).toEqual([more, 200]);
  });

  it('hold whatever else the server says, and are on record with client and grant', async () => {
    const before = await stage.recordsSoFar();
    expect((await ping(withClaims({ extra: { x: [1] }, gid: 'grant-7' }))).status).toBe(200);
    expect((await stage.recordsAfter(before)).at(-1)!.facts).toMatchObject({ caller: { kind: 'person', id: person, name: 'ada', tokenId: 'grant-7' }, client: { id: 'dcr_client', name: null } });
  });
});
