import { describe, expect, it } from '@jest/globals';
import { serverName } from '@gatehouse/contracts';
import { requireHeaderNames } from '@gatehouse/kernel';
import { nameFromUrl, uniqueName } from './server-name.js';
import { requireServerUrl } from './server-url.js';

describe('the name of a server', () => {
  it.each([
    ['https://api.notion.com/mcp', 'notion'],
    ['https://mcp.notion.com/mcp', 'notion'],
    ['https://mcp.eu.notion.com:8443/mcp?x=1', 'notion'],
    ['https://mcp.linear.app/sse', 'linear'],
    ['https://notion.so', 'notion'],
    ['https://mcp.example.co.uk/', 'example'],
    ['https://api.mcp.example.com.au:444/', 'example'],
    ['https://co.uk/', 'co'],
    ['http://localhost:3001/mcp', 'localhost'],
    ['http://127.0.0.1:3001/mcp', 'server'],
    ['http://[::1]:3001/mcp', 'server'],
    ['http://[2001:db8::1]/mcp', 'server'],
    ['http://10.0.0.7/mcp', 'server'],
    ['http://demo_server.internal/mcp', 'demo-server'],
    ['https://MCP.GitHub.COM./', 'github'],
    ['https://xn--bcher-kva.example/', 'xn--bcher-kva'],
    ['https://_/', 'server'],
  ])('of %s is %s', (url, name) => {
    expect(nameFromUrl(url)).toBe(name);
    expect(serverName.safeParse(nameFromUrl(url)).success).toBe(true);
  });

  it('gets a number when it is taken', () => {
    expect(uniqueName('notion', new Set())).toBe('notion');
    expect(uniqueName('notion', new Set(['notion']))).toBe('notion-2');
    expect(uniqueName('notion', new Set(['notion', 'notion-2', 'notion-3']))).toBe('notion-4');
    const long = 'x'.repeat(63);
    expect(serverName.safeParse(uniqueName(long, new Set([long]))).success).toBe(true);
  });
});

describe('the URL of a server', () => {
  it.each([
    ['ftp://example.com', true, 'scheme'],
    ['http://example.com', false, 'scheme'],
    ['https://user@example.com', false, 'userinfo'],
    ['https://:secret@example.com', false, 'userinfo'],
    ['https://example.com/#x', false, 'fragment'],
    ['https://example.com/#', false, 'fragment'],
    ['https://example.com:0/', false, 'port'],
    ['example.com', false, 'not_a_url'],
    ['https://exam\nple.com', false, 'not_a_url'],
    ['https:\\\\example.com', false, 'not_a_url'],
    [`https://example.com/${'x'.repeat(2_048)}`, false, 'too_long'],
  ])('%s is refused', (url, allowPrivateNetwork, reason) => {
    expect(() => requireServerUrl(url, allowPrivateNetwork)).toThrow(expect.objectContaining({ code: 'url_refused', details: { reason } }));
  });

  it('is https, or http where private networks are allowed', () => {
    expect(() => requireServerUrl('https://example.com/mcp?x=1', false)).not.toThrow();
    expect(() => requireServerUrl('http://10.0.0.1:3001/mcp', true)).not.toThrow();
  });
});

describe('the headers of a server', () => {
  it.each(['Host', 'Content-Length', 'content-type', 'Accept', 'Transfer-Encoding', 'connection', 'TE', 'Mcp-Session-Id', 'Cookie', 'X-Forwarded-For', 'Forwarded', 'x-gatehouse-call', 'Gatehouse-Call', 'Proxy-Authorization', 'Sec-Fetch-Site', 'Origin'])(
    '%s is refused',
    (header) => {
      expect(() => requireHeaderNames([header])).toThrow(expect.objectContaining({ code: 'header_refused', details: { header, reason: 'reserved' } }));
    },
  );

  it('may carry a credential', () => {
    expect(() => requireHeaderNames(['Authorization', 'X-Api-Key', 'Notion-Version', 'User-Agent'])).not.toThrow();
  });

  it('are given once', () => {
    expect(() => requireHeaderNames(['X-Key', 'x-key'])).toThrow(expect.objectContaining({ code: 'header_refused', details: { header: 'x-key', reason: 'given_twice' } }));
  });
});
