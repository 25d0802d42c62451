import { describe, expect, it } from '@jest/globals';
import { requireServerUrl } from '../servers/server-url.js';
import { Catalogue } from './catalogue.js';

describe('the catalogue', () => {
  const catalogue = new Catalogue();

  it('holds each server once, at an address that may be registered, with its documentation and source', () => {
    const entries = catalogue.list();
    expect(new Set(entries.map(({ url }) => url)).size).toBe(entries.length);
    expect(entries.map(({ name }) => name)).toEqual(entries.map(({ name }) => name).sort());
    for (const { url, source } of entries) {
      expect(() => requireServerUrl(url, false)).not.toThrow();
      expect(source).not.toBe('');
    }
    expect(entries.length).toBeGreaterThan(5);
  });

  it('finds by name, and refuses what it does not have', () => {
    expect(catalogue.get('notion')).toMatchObject({ url: 'https://mcp.notion.com/mcp', auth: 'oauth' });
    expect(() => catalogue.get('nowhere')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('is not made of a file with an address that is not https', () => {
    const [entry] = catalogue.list();
    expect(() => new Catalogue(JSON.stringify([{ ...entry, url: 'http://mcp.example/' }]))).toThrow();
  });
});
