import { describe, expect, it } from '@jest/globals';
import { capabilitiesOf } from './directory-rows.js';
import { directoryText } from './directory-snapshots.js';

describe('the text of a directory', () => {
  it('leaves out tokens that had expired when it was issued', () => {
    const token = { digest: 'd', personId: 'p', scopes: [] };
    const tokens = [
      { ...token, id: 'past', expiresAt: 999 },
      { ...token, id: 'now', expiresAt: 1_000 },
      { ...token, id: 'later', expiresAt: 1_001 },
      { ...token, id: 'never', expiresAt: null },
    ];
    const text = directoryText({ epoch: 'e', version: 3, people: [], tokens }, 1_000);
    expect(JSON.parse(text)).toMatchObject({ epoch: 'e', version: 3, issuedAt: 1_000, tokens: [{ id: 'later' }, { id: 'never' }] });
  });
});

describe('the capabilities of roles', () => {
  it('are none for a member and for a role this release does not know', () => {
    expect(capabilitiesOf(['member', 'constructor', 'root'])).toEqual([]);
  });

  it('are all for an administrator, each once', () => {
    expect(capabilitiesOf(['administrator', 'member', 'administrator'])).toContain('people.manage');
    expect(new Set(capabilitiesOf(['administrator', 'administrator'])).size).toBe(capabilitiesOf(['administrator']).length);
  });
});
