import { describe, expect, it } from '@jest/globals';
import { requireServerUrl } from '../servers/server-url.js';
import { wellKnownServers } from './catalogue.js';

describe('the well-known servers', () => {
  const entries = wellKnownServers();

  it('stand once each, at an address that may be registered, with documentation and source', () => {
    expect(new Set(entries.map(({ url }) => url)).size).toBe(entries.length);
    expect(entries.map(({ name }) => name)).toEqual(entries.map(({ name }) => name).sort());
    for (const { url, source, documentation } of entries) {
      expect(() => requireServerUrl(url, false)).not.toThrow();
      expect([source === '', documentation]).toEqual([false, expect.stringMatching(/^https:/)]);
    }
    expect(entries.length).toBeGreaterThan(5);
  });

  it('are not read from a file with an address that is not https', () => {
    expect(() => wellKnownServers(JSON.stringify([{ ...entries[0], url: 'http://mcp.example/' }]))).toThrow();
  });
});
