import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRecordingServer, type RecordedRequest, type Upstream } from '../upstreams/recording-server.js';
import { callbackParameters, PublicClient } from './public-client.js';

describe('the OAuth client without opinion', () => {
  let server: Upstream;
  let client: PublicClient;

  beforeAll(async () => {
    server = await startRecordingServer((recorded, response) =>
      response.writeHead(recorded.path === '/token' ? 200 : 400).end(recorded.path === '/token' ? '{"access_token":"t"}' : '<html>'),
    );
    const issuer = `http://127.0.0.1:${server.port}`;
    client = new PublicClient({ issuer, clientId: 'c', redirectUri: 'http://localhost:1/cb', resource: 'https://gate.example/mcp/x', scope: 'mcp:access' });
  });
  afterAll(() => server.close());

  const last = (): RecordedRequest => server.requests().at(-1) as RecordedRequest;

  it('builds an authorization request whose challenge fits its verifier', () => {
    const query = callbackParameters(client.authorizeUrl());
    expect(query).toEqual({
      response_type: 'code',
      client_id: 'c',
      redirect_uri: 'http://localhost:1/cb',
      code_challenge: createHash('sha256').update(client.pkce.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: client.state,
      scope: 'mcp:access',
      resource: 'https://gate.example/mcp/x',
    });
  });

  it('sends any parameter wrongly, twice or not at all', async () => {
    const url = new URL(client.authorizeUrl({ scope: undefined, redirect_uri: ['a', 'b'], code_challenge_method: 'plain' }));
    expect([url.searchParams.has('scope'), url.searchParams.getAll('redirect_uri'), url.searchParams.get('code_challenge_method')]).toEqual([
      false,
      ['a', 'b'],
      'plain',
    ]);
    await client.exchange('the code', { code_verifier: undefined, resource: ['x', 'y'] });
    expect(last().body).toBe('grant_type=authorization_code&code=the+code&client_id=c&redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fcb&resource=x&resource=y');
  });

  it('redeems, refreshes, revokes and registers, and judges no answer', async () => {
    expect(await client.exchange('k')).toMatchObject({ status: 200, json: { access_token: 't' } });
    expect(last().body).toContain(`code_verifier=${client.pkce.verifier}`);
    await client.refresh('r', { scope: 'admin' });
    expect(last().body).toBe('grant_type=refresh_token&refresh_token=r&client_id=c&resource=https%3A%2F%2Fgate.example%2Fmcp%2Fx&scope=admin');
    expect(await client.revoke('t')).toMatchObject({ status: 400, text: '<html>', json: {} });
    await client.register({ redirect_uris: [] });
    expect([last().path, last().json]).toEqual(['/register', { redirect_uris: [] }]);
    await client.register('{broken');
    expect(last().body).toBe('{broken');
    await client.get('/.well-known/oauth-authorization-server');
    expect(last().path).toBe('/.well-known/oauth-authorization-server');
  });

  it('names itself by its secret when it has one', async () => {
    const confidential = new PublicClient({ ...client.options, clientId: 'a:b', secret: 'p/w' });
    await confidential.exchange('k');
    expect(Buffer.from(String(last().headers.authorization).slice(6), 'base64').toString()).toBe('a%3Ab:p%2Fw');
  });
});
