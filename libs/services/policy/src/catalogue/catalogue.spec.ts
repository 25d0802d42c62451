import { describe, expect, it } from '@jest/globals';
import { builtInPresets } from '../presets/built-in-presets.js';
import { PresetBook } from '../presets/preset-book.js';
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
    expect(entries.length).toBeGreaterThanOrEqual(40);
  });

  it('agree with the preset of their host about how they are signed in to', () => {
    const book = new PresetBook(builtInPresets(), []);
    const presets = entries.map(({ name, url, auth }) => ({ name, auth, preset: book.of(url) }));
    for (const { auth, preset } of presets.filter((entry) => entry.preset !== null)) {
      if (auth === 'headers') expect(preset!.header).not.toBeNull();
      if (auth === 'none') expect(preset!.name).toBe('cloudflare');
    }
    expect(presets.filter(({ auth, preset }) => auth === 'oauth-client' && preset !== null).map(({ name }) => name)).toEqual(['asana', 'bigquery', 'clickup', 'figma', 'hubspot', 'slack']);
    expect(presets.filter(({ preset }) => preset !== null).length).toBeGreaterThanOrEqual(20);
  });

  it('are not read from a file with an address that is not https', () => {
    expect(() => wellKnownServers(JSON.stringify([{ ...entries[0], url: 'http://mcp.example/' }]))).toThrow();
  });
});
