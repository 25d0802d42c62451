import { describe, expect, it } from '@jest/globals';
import { normalised, type AnswerWays, type Endpoint } from './answer-normaliser.js';

interface Answer {
  status?: number;
  type?: string;
  body: unknown;
  headers?: Record<string, string>;
}

const TOKEN = { access_token: 'at', token_type: 'bearer' };

async function read({ status = 200, type = 'application/json', body, headers = {} }: Answer, endpoint: Endpoint = 'token', ways: AnswerWays = {}): Promise<{ status: number; body: unknown }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const raw = (): Promise<Response> => Promise.resolve(new Response([204, 304].includes(status) ? null : text, { status, headers: { 'content-type': type, ...headers } }));
  const response = await normalised(raw, () => endpoint, ways)('https://as.example/token');
  expect(response.headers.get('www-authenticate')).toBeNull();
  const said = await response.text();
  return { status: response.status, body: said === '' ? '' : JSON.parse(said) };
}

const yes = (body: unknown) => ({ status: 200, body });
const no = (error: string) => ({ status: 400, body: expect.objectContaining({ error }) });

// Told which parameters there are, the runner does not take the last one for a callback.
const withWays = (cases: [string, Answer, unknown, AnswerWays?][]): [string, Answer, unknown, AnswerWays][] => cases.map(([name, answer, expected, ways = {}]) => [name, answer, expected, ways]);

describe('a token answer', () => {
  it.each(withWays([
    ['as the standard says', { body: { ...TOKEN, expires_in: 60, refresh_token: 'rt', scope: 'a b' } }, yes({ ...TOKEN, expires_in: 60, refresh_token: 'rt', scope: 'a b' })],
    ['201 in place of 200', { status: 201, body: TOKEN }, yes(TOKEN)],
    ['a form (GitHub)', { type: 'application/x-www-form-urlencoded', body: 'access_token=at&scope=repo%2Cgist&token_type=bearer' }, yes({ ...TOKEN, scope: 'repo gist' })],
    ['a form said to be text', { type: 'text/plain', body: 'access_token=at' }, yes(TOKEN)],
    ['JSON said to be text', { type: 'text/plain;charset=utf-8', body: TOKEN }, yes(TOKEN)],
    ['no token type', { body: { access_token: 'at' } }, yes(TOKEN)],
    ['the type "user" (Slack)', { body: { ...TOKEN, token_type: 'user' } }, yes(TOKEN)],
    ['a type in capitals', { body: { ...TOKEN, token_type: 'BEARER' } }, yes(TOKEN)],
    ['DPoP', { body: { ...TOKEN, token_type: 'DPoP' } }, yes({ ...TOKEN, token_type: 'dpop' })],
    ['expiry as text', { body: { ...TOKEN, expires_in: '3600' } }, yes({ ...TOKEN, expires_in: 3_600 })],
    ['expiry null', { body: { ...TOKEN, expires_in: null } }, yes(TOKEN)],
    ['expiry of nothing', { body: { ...TOKEN, expires_in: 0 } }, yes(TOKEN)],
    ['expiry in words', { body: { ...TOKEN, expires_in: 'soon' } }, yes(TOKEN)],
    ['expiry that is negative', { body: { ...TOKEN, expires_in: -5 } }, yes(TOKEN)],
    ['empty members', { body: { ...TOKEN, refresh_token: '', scope: '', expires_in: '' } }, yes(TOKEN)],
    ['null members', { body: { ...TOKEN, refresh_token: null, scope: null, id_token: null } }, yes(TOKEN)],
    ['scopes in a list', { body: { ...TOKEN, scope: ['a', 'b'] } }, yes({ ...TOKEN, scope: 'a b' })],
    ['scopes with commas', { body: { ...TOKEN, scope: 'a, b,c' } }, yes({ ...TOKEN, scope: 'a b c' })],
    ['an id_token that is none', { body: { ...TOKEN, id_token: 'garbage' } }, yes(TOKEN)],
    ['members nobody knows', { body: { ...TOKEN, team: { id: 'T1' }, bot: 'x' } }, yes(TOKEN)],
    ['a refresh token of another type', { body: { ...TOKEN, refresh_token: 7 } }, yes(TOKEN)],
    [
      'everything nested (Slack)',
      { body: { ok: true, authed_user: { access_token: 'at', refresh_token: 'rt', expires_in: 43_200, scope: 'a,b' } } },
      yes({ ...TOKEN, refresh_token: 'rt', expires_in: 43_200, scope: 'a b' }),
      { tokenPaths: { accessToken: 'authed_user.access_token', refreshToken: 'authed_user.refresh_token', expiresIn: 'authed_user.expires_in', scope: 'authed_user.scope' } },
    ],
    ['a path that leads nowhere leaves what is at the usual place', { body: TOKEN }, yes(TOKEN), { tokenPaths: { accessToken: 'authed_user.access_token' } }],
    ['a path through what objects have by birth', { body: TOKEN }, yes(TOKEN), { tokenPaths: { refreshToken: '__proto__.constructor.name' } }],
    ['200 with an error (GitHub)', { body: { error: 'bad_verification_code', error_description: 'expired' } }, no('invalid_grant')],
    ['200 with an error in a form', { type: 'application/x-www-form-urlencoded', body: 'error=bad_refresh_token&error_description=x' }, no('invalid_grant')],
    ['200 with ok: false (Slack)', { body: { ok: false, error: 'invalid_code' } }, no('invalid_grant')],
    ['200 with ok: false and no word', { body: { ok: false } }, no('invalid_request')],
    ['403 with JSON (Atlassian)', { status: 403, body: { error: 'invalid_grant' } }, no('invalid_grant')],
    ['401 with a challenge', { status: 401, body: { error: 'invalid_client' }, headers: { 'www-authenticate': 'Basic realm="as"' } }, no('invalid_client')],
    ['401 without a word', { status: 401, body: {} }, no('invalid_client')],
    ['an error that is an object', { status: 400, body: { error: { code: 'invalid_grant', message: 'x' } } }, no('invalid_grant')],
    ['400 in words of its own', { status: 400, body: { message: 'no such thing' } }, no('invalid_request')],
    ['a word of an administrator’s map', { status: 400, body: { error: 'grant_gone' } }, no('invalid_grant'), { errorMap: { grant_gone: 'invalid_grant' } }],
    ['a map over a known word', { status: 400, body: { error: 'invalid_token' } }, no('invalid_request'), { errorMap: { invalid_token: 'invalid_request' } }],
    ['an error with a script in it', { status: 400, body: { error: '<script>alert(1)</script>' } }, no('invalid_request')],
    ['an error called like what objects have by birth', { status: 400, body: { error: 'constructor' } }, no('constructor')],
  ]))('%s', async (_name, answer, expected, ways) => {
    expect(await read(answer, 'token', ways)).toEqual(expected);
  });

  it.each<[string, Answer, object]>([
    ['a page', { type: 'text/html', body: '<html>sign in</html>' }, { code: 'upstream_invalid' }],
    ['a page said to be JSON', { body: '<!doctype html><p>' }, { code: 'upstream_invalid' }],
    ['a firewall’s 403', { status: 403, type: 'text/html', body: '<h1>Forbidden</h1>' }, { code: 'upstream_invalid' }],
    ['a 403 that says nothing', { status: 403, body: { message: 'blocked' } }, { code: 'upstream_invalid' }],
    ['a 404', { status: 404, body: { message: 'nothing here' } }, { code: 'upstream_invalid' }],
    ['500 with an error', { status: 500, body: { error: 'invalid_grant' } }, { code: 'upstream_unreachable' }],
    ['503', { status: 503, body: '' }, { code: 'upstream_unreachable' }],
    ['429', { status: 429, body: { error: 'invalid_grant' } }, { code: 'upstream_unreachable' }],
    ['200 that says it is too busy', { body: { ok: false, error: 'ratelimited' } }, { code: 'upstream_unreachable' }],
    ['400 with server_error', { status: 400, body: { error: 'server_error' } }, { code: 'upstream_unreachable' }],
    ['a redirect', { status: 302, body: '', headers: { location: 'https://evil.example/' } }, { code: 'upstream_invalid', details: { reason: 'redirect', status: 302 } }],
    ['a list', { body: [TOKEN] }, { code: 'upstream_invalid' }],
    ['nothing', { body: '' }, { code: 'upstream_invalid' }],
    ['text', { type: 'text/plain', body: 'Internal error, please retry' }, { code: 'upstream_invalid' }],
  ])('%s says nothing about the request', async (_name, answer, expected) => {
    await expect(read(answer)).rejects.toMatchObject(expected);
  });
});

describe('an answer of the registration endpoint', () => {
  it.each<[string, Answer, unknown]>([
    ['200 in place of 201', { status: 200, body: { client_id: 'c' } }, { status: 201, body: { client_id: 'c' } }],
    ['null and empty members', { status: 201, body: { client_id: 'c', client_secret: null, scope: '', registration_client_uri: null } }, { status: 201, body: { client_id: 'c' } }],
    ['400 keeps the words', { status: 400, body: { error: 'invalid_redirect_uri', error_description: 'not on our list' } }, { status: 400, body: { error: 'invalid_redirect_uri', error_description: 'not on our list' } }],
  ])('%s', async (_name, answer, expected) => {
    expect(await read(answer, 'registration')).toEqual(expected);
  });
});

describe('a yes of the revocation endpoint', () => {
  it('may be empty', async () => {
    expect(await read({ body: '', type: 'text/plain' }, 'other')).toEqual({ status: 200, body: '' });
  });
});
