import { afterEach, describe, expect, it } from '@jest/globals';
import { generateKeyPair, exportSPKI, SignJWT } from 'jose';
import { startClientMetadataHost } from '../oauth-clients/client-metadata-host.js';
import { pkcePair } from '../oauth-clients/public-client.js';
import type { OauthUpstreamOptions } from './oauth-options.js';
import { startOauthUpstream, type OauthUpstream } from './oauth-upstream.js';

const CALLBACK = 'https://gateway.example/oauth/callback';

describe('the protected upstream', () => {
  const open: { close(): Promise<void> }[] = [];
  const started = async (options: OauthUpstreamOptions = {}): Promise<OauthUpstream> => {
    const upstream = await startOauthUpstream(options);
    open.push(upstream);
    return upstream;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
  });

  const whoami = (upstream: OauthUpstream, token?: string, name = 'whoami'): Promise<Response> =>
    fetch(upstream.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
    });

  const register = async (upstream: OauthUpstream, members: object = {}): Promise<any> => {
    const answer = await fetch(upstream.endpoints.register, { method: 'POST', body: JSON.stringify({ redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', ...members }) });
    return { status: answer.status, ...((await answer.json()) as object) };
  };

  const authorize = async (upstream: OauthUpstream, clientId: string, more: Record<string, string> = {}): Promise<{ callback: URLSearchParams; verifier: string; status: number }> => {
    const { verifier, challenge } = pkcePair();
    const query = new URLSearchParams({ response_type: 'code', client_id: clientId, redirect_uri: CALLBACK, state: 's', code_challenge: challenge, code_challenge_method: 'S256', resource: upstream.url, ...more });
    const answer = await fetch(`${upstream.endpoints.authorize}?${query.toString()}`, { redirect: 'manual' });
    return { callback: new URL(answer.headers.get('location') ?? CALLBACK).searchParams, verifier, status: answer.status };
  };

  const token = async (upstream: OauthUpstream, form: Record<string, string>): Promise<{ status: number; text: string; json: any }> => {
    const answer = await fetch(upstream.endpoints.token, { method: 'POST', body: new URLSearchParams(form) });
    const text = await answer.text();
    return { status: answer.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  };

  const connect = async (upstream: OauthUpstream, scope = ''): Promise<{ clientId: string; tokens: { status: number; text: string; json: any } }> => {
    const { client_id: clientId } = await register(upstream);
    const { callback, verifier } = await authorize(upstream, clientId, { scope });
    const tokens = await token(upstream, { grant_type: 'authorization_code', code: callback.get('code') ?? '', redirect_uri: CALLBACK, client_id: clientId, code_verifier: verifier });
    return { clientId, tokens };
  };

  const refresh = (upstream: OauthUpstream, clientId: string, refreshToken: string) => token(upstream, { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken });

  it('leads from its 401 over both metadata to a token, and serves whose it is', async () => {
    const upstream = await started({ user: 'ada', scopes: ['notes'] });
    const refused = await whoami(upstream);
    expect(refused.status).toBe(401);
    const prm = (await (await fetch(/resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')![1]!)).json()) as any;
    expect(prm).toMatchObject({ resource: upstream.url, authorization_servers: [upstream.issuer], scopes_supported: ['notes'] });
    const metadata = (await (await fetch(`${upstream.issuer}/.well-known/oauth-authorization-server`)).json()) as any;
    expect(metadata).toMatchObject({ issuer: upstream.issuer, token_endpoint: upstream.endpoints.token, code_challenge_methods_supported: ['S256'] });
    const { tokens } = await connect(upstream, 'notes');
    expect(tokens.json).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'notes' });
    expect(await (await whoami(upstream, tokens.json.access_token)).text()).toContain('"ada"');
    expect(upstream.secrets()).toEqual(expect.arrayContaining([tokens.json.access_token, tokens.json.refresh_token]));
  });

  it('refuses a wrong verifier, another redirect_uri, a second redemption, a foreign resource', async () => {
    const upstream = await started();
    const { client_id: clientId } = await register(upstream);
    const form = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: CALLBACK };
    const first = await authorize(upstream, clientId);
    expect((await token(upstream, { ...form, code: first.callback.get('code')!, code_verifier: 'x' })).json.error).toBe('invalid_grant');
    expect((await token(upstream, { ...form, code: first.callback.get('code')!, code_verifier: first.verifier })).json.error).toBe('invalid_grant');
    expect((await authorize(upstream, clientId, { resource: 'https://other.example/' })).callback.get('error')).toBe('invalid_target');
    expect((await authorize(upstream, 'nobody')).status).toBe(400);
  });

  it('rotates refresh tokens strictly: the second use of one ends the grant', async () => {
    const upstream = await started();
    const { clientId, tokens } = await connect(upstream);
    const next = await refresh(upstream, clientId, tokens.json.refresh_token);
    expect(next.json.refresh_token).not.toBe(tokens.json.refresh_token);
    expect((await refresh(upstream, clientId, tokens.json.refresh_token)).json.error).toBe('invalid_grant');
    expect((await refresh(upstream, clientId, next.json.refresh_token)).json.error).toBe('invalid_grant');
    expect([(await whoami(upstream, next.json.access_token)).status, upstream.refreshes()]).toEqual([401, 3]);
  });

  it.each(['none', 'grace'] as const)('lets a refresh token be used again with rotation %s', async (rotation) => {
    const upstream = await started({ rotation });
    const { clientId, tokens } = await connect(upstream);
    for (let times = 0; times < 3; times++) expect((await refresh(upstream, clientId, tokens.json.refresh_token)).status).toBe(200);
  });

  it('expires and revokes tokens when the test says', async () => {
    const upstream = await started();
    const { clientId, tokens } = await connect(upstream);
    upstream.expireAccessTokens();
    expect((await whoami(upstream, tokens.json.access_token)).status).toBe(401);
    const fresh = await refresh(upstream, clientId, tokens.json.refresh_token);
    expect((await whoami(upstream, fresh.json.access_token)).status).toBe(200);
    upstream.revoke('alice');
    expect((await whoami(upstream, fresh.json.access_token)).status).toBe(401);
    expect((await refresh(upstream, clientId, fresh.json.refresh_token)).json.error).toBe('invalid_grant');
  });

  it('asks for a scope more where a tool needs it', async () => {
    const upstream = await started({ stepUp: { tool: 'write', scope: 'notes.write' } });
    const { tokens } = await connect(upstream, 'notes.read');
    const refused = await whoami(upstream, tokens.json.access_token, 'write');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('scope="notes.write"')]);
    const more = await connect(upstream, 'notes.read notes.write');
    expect((await whoami(upstream, more.tokens.json.access_token, 'write')).status).toBe(200);
  });

  it.each([
    ['oauth-path', '/.well-known/oauth-authorization-server/tenant'],
    ['oauth-append', '/tenant/.well-known/oauth-authorization-server'],
    ['openid-append', '/tenant/.well-known/openid-configuration'],
    ['html-then-openid', '/.well-known/openid-configuration'],
  ] as const)('serves metadata %s at %s alone', async (metadata, path) => {
    const upstream = await started({ metadata });
    const origin = new URL(upstream.issuer).origin;
    expect(await (await fetch(origin + path)).json()).toMatchObject({ issuer: upstream.issuer });
    const other = await fetch(`${origin}/.well-known/oauth-authorization-server`);
    expect(await other.text()).not.toContain('issuer');
  });

  it('reads a client metadata document, or refuses it in each of the three shapes', async () => {
    const host = await startClientMetadataHost();
    open.push(host);
    const id = host.serve('/client.json', { body: { client_id: `${host.origin}/client.json`, redirect_uris: [CALLBACK] } });
    const upstream = await started({ documents: 'fetched' });
    expect((await authorize(upstream, id)).callback.has('code')).toBe(true);
    expect(upstream.documents()).toEqual([id]);
    upstream.set({ documents: 'refused-page' });
    expect((await authorize(upstream, id)).status).toBe(400);
    upstream.set({ documents: 'refused-callback' });
    expect((await authorize(upstream, id)).callback.get('error')).toBe('unauthorized_client');
    upstream.set({ documents: 'refused-token' });
    const { callback, verifier } = await authorize(upstream, id);
    const answer = await token(upstream, { grant_type: 'authorization_code', code: callback.get('code')!, redirect_uri: CALLBACK, client_id: id, code_verifier: verifier });
    expect([answer.status, answer.json.error]).toEqual([401, 'invalid_client']);
  });

  it('knows clients by secret and by key, and takes credentials from them alone', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const clients = [{ clientId: 'acme', clientSecret: 's3cret' }, { clientId: 'keyed', publicKey: await exportSPKI(publicKey) }];
    const upstream = await started({ clients });
    const form = { grant_type: 'client_credentials' };
    expect((await token(upstream, { ...form, client_id: 'acme', client_secret: 'wrong' })).status).toBe(401);
    const good = await token(upstream, { ...form, client_id: 'acme', client_secret: 's3cret' });
    expect(await (await whoami(upstream, good.json.access_token)).text()).toContain('client:acme');
    const assertion = await new SignJWT({ jti: '1' }).setProtectedHeader({ alg: 'ES256' }).setIssuer('keyed').setSubject('keyed').setAudience(upstream.issuer).setExpirationTime('1m').sign(privateKey);
    const keyed = { ...form, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion };
    expect((await token(upstream, keyed)).status).toBe(200);
    expect((await token(upstream, { ...keyed, client_assertion: `${assertion}x` })).status).toBe(401);
  });

  it('exchanges the tokens of those it trusts', async () => {
    const trust = async (given: string): Promise<string> => {
      if (!given.startsWith('good-')) throw new Error('who is that?');
      return given.slice(5);
    };
    const upstream = await started({ trust, clients: [{ clientId: 'acme', clientSecret: 's3cret' }] });
    const client = { client_id: 'acme', client_secret: 's3cret' };
    const exchange = { ...client, grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' };
    const got = await token(upstream, { ...exchange, subject_token: 'good-ada' });
    expect(await (await whoami(upstream, got.json.access_token)).text()).toContain('"ada"');
    expect((await token(upstream, { ...exchange, subject_token: 'bad' })).json.error).toBe('invalid_grant');
    expect((await token(upstream, { ...client, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'good-bob' })).status).toBe(200);
  });

  it('rotates and cuts the connection, and tells the test what happens', async () => {
    const moments: string[] = [];
    const upstream = await started({ tokenHook: (moment, grantType) => void moments.push(`${moment} ${grantType}`) });
    const { clientId, tokens } = await connect(upstream);
    upstream.set({ refresh: 'answer-lost' });
    await expect(refresh(upstream, clientId, tokens.json.refresh_token)).rejects.toThrow();
    upstream.set({ refresh: 'ok' });
    expect((await refresh(upstream, clientId, tokens.json.refresh_token)).json.error).toBe('invalid_grant');
    expect(moments).toContain('decided refresh_token');
  });

  it('answers tokens in the shapes that providers were seen to', async () => {
    const upstream = await started();
    const shown = async (tokenAnswer: Parameters<typeof upstream.set>[0]['tokenAnswer']): Promise<[number, string]> => {
      upstream.set({ tokenAnswer: tokenAnswer! });
      const { tokens } = await connect(upstream, 'a b');
      return [tokens.status, tokens.text];
    };
    expect(await shown('form')).toEqual([200, expect.stringMatching(/^access_token=at_/)]);
    expect(await shown('error-200')).toEqual([200, expect.stringContaining('"error":"bad_verification_code"')]);
    expect(await shown('ok-false')).toEqual([200, expect.stringContaining('"ok":false')]);
    expect(await shown('nested')).toEqual([200, expect.stringContaining('"authed_user":{"access_token"')]);
    expect(await shown('expires-text')).toEqual([200, expect.stringContaining('"expires_in":"3600"')]);
    expect(await shown('expires-null')).toEqual([200, expect.stringContaining('"expires_in":null')]);
    expect(await shown('no-token-type')).toEqual([200, expect.not.stringContaining('token_type')]);
    expect(await shown('comma-scopes')).toEqual([200, expect.stringContaining('"scope":"a,b"')]);
    expect(await shown('status-201')).toEqual([201, expect.stringContaining('access_token')]);
    expect(await shown('html')).toEqual([200, expect.stringContaining('<!doctype html>')]);
  });

  it('checks PKCE only where it knows of it', async () => {
    const upstream = await started({ pkce: 'absent', registration: 'status-200' });
    const client = await register(upstream);
    expect(client.status).toBe(200);
    expect((await authorize(upstream, client.client_id, { code_challenge_method: 'plain' })).callback.has('code')).toBe(true);
  });
});
