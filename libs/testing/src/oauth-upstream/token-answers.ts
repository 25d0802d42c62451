import type { ServerResponse } from 'node:http';
import type { AccessToken } from './grants.js';
import { sendHtml, sendJson } from './oauth-error.js';
import type { OauthBehaviour } from './oauth-options.js';

type Members = Record<string, unknown>;
type Shape = OauthBehaviour['tokenAnswer'];

// What providers were seen to answer in place of RFC 6749 section 5.1.
const CHANGES: Readonly<Partial<Record<Shape, (members: Members) => Members>>> = {
  'expires-text': (members) => ({ ...members, expires_in: String(members['expires_in']) }),
  'expires-null': (members) => ({ ...members, expires_in: null, scope: null, id_token: '' }),
  'no-expiry': (members) => ({ ...members, expires_in: undefined }),
  'no-token-type': (members) => ({ ...members, token_type: undefined }),
  'odd-token-type': (members) => ({ ...members, token_type: 'user' }),
  'scope-array': (members) => ({ ...members, scope: String(members['scope']).split(' ') }),
  'comma-scopes': (members) => ({ ...members, scope: String(members['scope']).replaceAll(' ', ',') }),
  'broken-id-token': (members) => ({ ...members, id_token: 'not.a.token' }),
  nested: (members) => ({ ok: true, authed_user: { ...members, token_type: 'user', id: 'U1' } }),
};

const WHOLE: Readonly<Partial<Record<Shape, (response: ServerResponse, members: Members) => void>>> = {
  'status-201': (response, members) => sendJson(response, 201, members),
  'error-200': (response) => sendJson(response, 200, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }),
  'ok-false': (response) => sendJson(response, 200, { ok: false, error: 'invalid_code' }),
  'forbidden-json': (response) => sendJson(response, 403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }),
  html: (response) => sendHtml(response, 200),
  form: (response, members) => {
    response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' });
    response.end(new URLSearchParams(Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)]))).toString());
  },
};

/** Answers with a token in the shape that the behaviour says. */
export function sendToken(response: ServerResponse, issued: AccessToken, { tokenAnswer, accessTokenSeconds, rotation }: OauthBehaviour): void {
  const { grant, token, scopes } = issued;
  const members = {
    access_token: token,
    token_type: grant.jkt === null ? 'Bearer' : 'DPoP',
    expires_in: accessTokenSeconds,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(grant.refreshToken === null || rotation === 'no-refresh-token' ? {} : { refresh_token: grant.refreshToken }),
  };
  const whole = WHOLE[tokenAnswer];
  if (whole !== undefined) whole(response, members);
  else sendJson(response, 200, CHANGES[tokenAnswer]?.(members) ?? members);
}
