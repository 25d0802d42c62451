import { buildDiscoveryUrls, checkResourceAllowed } from '@modelcontextprotocol/client';
import { describe, expect, it } from '@jest/globals';
import { isSameIssuer, issuerMetadataUrls, isUnderResource, resourceMetadataUrls } from './well-known.js';

describe('addresses of metadata', () => {
  it.each(['https://as.example', 'https://as.example/', 'https://as.example/tenant', 'https://as.example/a/b/', 'https://as.example:8443/x'])('of the issuer %s begin as the official SDK has them', (issuer) => {
    const official = buildDiscoveryUrls(issuer).map(({ url }) => url.href);
    expect(issuerMetadataUrls(issuer).slice(0, official.length)).toEqual(official);
  });

  it('of a resource are first those of its path and query', () => {
    expect(resourceMetadataUrls('https://mcp.example/a/b/?x=1')).toEqual(['https://mcp.example/.well-known/oauth-protected-resource/a/b?x=1', 'https://mcp.example/.well-known/oauth-protected-resource']);
    expect(resourceMetadataUrls('https://mcp.example/')).toEqual(['https://mcp.example/.well-known/oauth-protected-resource']);
  });
});

describe('what a resource covers', () => {
  it.each([
    ['https://mcp.example/mcp', 'https://mcp.example/mcp'],
    ['https://mcp.example/mcp', 'https://mcp.example'],
    ['https://mcp.example/mcp/x', 'https://mcp.example/mcp'],
    ['https://mcp.example/mcpx', 'https://mcp.example/mcp'],
    ['https://mcp.example/mcp', 'https://mcp.example/mcp/deeper'],
    ['https://mcp.example/mcp', 'https://evil.example/mcp'],
    ['https://mcp.example/mcp', 'http://mcp.example/mcp'],
    ['https://mcp.example/mcp', 'https://mcp.example:8443/mcp'],
    ['https://mcp.example/mcp', 'https://mcp.example.evil.example/mcp'],
  ])('%s by %s, as the official SDK says', (server, resource) => {
    expect(isUnderResource(server, resource)).toBe(checkResourceAllowed({ requestedResource: server, configuredResource: resource }));
  });

  it('is the same with a slash at the end', () => {
    expect(isUnderResource('https://mcp.example/mcp', 'https://mcp.example/mcp/')).toBe(true);
  });

  it('is nothing when it is no address or has a fragment', () => {
    expect(isUnderResource('https://mcp.example/mcp', 'mcp')).toBe(false);
    expect(isUnderResource('https://mcp.example/mcp', 'https://mcp.example/#x')).toBe(false);
  });
});

describe('spellings of an issuer', () => {
  it.each([
    ['https://as.example', 'https://as.example/', true],
    ['https://as.example/', 'https://as.example', true],
    ['https://as.example//', 'https://as.example', false],
    ['https://as.example/a', 'https://as.example/A', false],
    ['https://as.example', 'https://as.example:443', false],
    ['https://as.example', 'http://as.example', false],
  ])('%s and %s: %s', (one, other, isSame) => {
    expect(isSameIssuer(one, other)).toBe(isSame);
  });
});
