import { describe, expect, it } from '@jest/globals';
import { authPathOf } from './auth-paths.js';

describe('the paths that auth answers', () => {
  it.each([
    ['/', '/'],
    ['/login?return_to=/', '/login'],
    ['/connect/xQ3dQ0Zr8o2kq-_1', '/connect'],
    ['/oauth/callback?code=a&state=b', '/oauth'],
    ['/oauth/callback/Zm9vYmFy', '/oauth'],
    ['/oauth/client.json', '/oauth'],
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server'],
  ])('%s falls under %s', (url, prefix) => {
    expect(authPathOf(url)).toMatchObject({ prefix });
  });

  it.each(['/mcp/notes', '/connected', '/oauthx/callback', '/connect/../admin', '/connect/%2e%2e/admin', '/oauth//callback', '/connect/a\\b', '/.well-known/oauth-protected-resource/mcp/notes'])('%s is not one of them', (url) => {
    expect(authPathOf(url)).toBeUndefined();
  });

  it('takes nothing of other sites’ pages for accounts', () => {
    expect(authPathOf('/connect/xQ3dQ0Zr8o2kq-_1')?.anyOrigin).toBe(false);
    expect(authPathOf('/oauth/callback')?.anyOrigin).toBe(false);
  });
});
