import { afterAll, describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { Outbound } from '@gatehouse/outbound';
import fc from 'fast-check';
import { endpointOf } from './endpoint.js';

describe('the address that an event stream names', () => {
  const outbound = new Outbound();
  const at = (url: string) => outbound.destination(url, { allowPrivateNetwork: false });
  const events = at('https://mcp.example.com:8443/v1/sse?team=7');
  const named = (text: string): string => endpointOf(Buffer.from(text), events, at).url;
  const refusal = (text: string): unknown => {
    try {
      return named(text);
    } catch (error) {
      return error instanceof Refusal ? (error.details['reason'] ?? error.code) : error;
    }
  };

  afterAll(() => outbound.close());

  it.each([
    ['/messages?sessionId=1', 'https://mcp.example.com:8443/messages?sessionId=1'],
    ['messages/1', 'https://mcp.example.com:8443/v1/messages/1'],
    ['?sessionId=1', 'https://mcp.example.com:8443/v1/sse?sessionId=1'],
    ['https://mcp.example.com:8443/m', 'https://mcp.example.com:8443/m'],
    ['HTTPS://MCP.example.com:8443/m', 'https://mcp.example.com:8443/m'],
    [' /m\n', 'https://mcp.example.com:8443/m'],
  ])('%j is %s', (text, url) => {
    expect(named(text)).toBe(url);
  });

  it.each([
    ...['http://mcp.example.com:8443/m', 'https://mcp.example.com/m', 'https://mcp.example.com:8444/m', 'https://example.com:8443/m', '//evil.example/m'],
    ...['\\\\evil.example\\m', '/\\evil.example/m', 'https:\\\\evil.example', 'ht\ntps://evil.example/', 'https://mcp.example.com:8443@evil.example/m', 'https://mcp.example.com.evil.example:8443/m'],
    ...['https://169.254.169.254/latest/meta-data', 'http://[::1]/', 'http://2130706433/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x', 'ws://mcp.example.com:8443/m', 'blob:https://mcp.example.com:8443/1'],
  ])('%j is refused: the credential goes to one origin', (text) => {
    expect(['endpoint_origin', 'scheme']).toContain(refusal(text));
  });

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['a scheme', 'https://'],
    ['half an address', 'http://['],
    ['an endless one', `/${'x'.repeat(3_000)}`],
  ])('%s is none', (_what, text) => {
    expect(refusal(text)).toBe('no_endpoint');
  });

  it.each([
    ['https://user:pass@mcp.example.com:8443/m', 'userinfo'],
    ['/m#fragment', 'fragment'],
  ])('%j is refused as every such address is (%s)', (text, reason) => {
    expect(refusal(text)).toBe(reason);
  });

  it('is of the same origin whatever the text', () => {
    const piece = fc.constantFrom('/', '\\', '//', ':', '@', '?', '#', '.', '..', 'https:', 'http:', 'evil.example', 'mcp.example.com', ':8443', '\t', '\n', '%2f', '%00', 'a', '[::1]');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const url = refusal(pieces.join(''));
        if (typeof url === 'string' && url.includes('://')) expect(new URL(url).origin).toBe('https://mcp.example.com:8443');
      }),
      { numRuns: 2_000 },
    );
  });
});
