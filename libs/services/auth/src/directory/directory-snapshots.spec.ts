import { describe, expect, it } from '@jest/globals';
import { directoryText } from './directory-snapshots.js';

const nobody = { callers: [], tokens: [], keys: [], denied: [], issuers: [], identities: [] };

describe('the text of a directory', () => {
  it('leaves out tokens that had expired when it was issued', () => {
    const token = { digest: 'd', callerId: 'p', scopes: [] };
    const tokens = [
      { ...token, id: 'past', expiresAt: 999 },
      { ...token, id: 'now', expiresAt: 1_000 },
      { ...token, id: 'later', expiresAt: 1_001 },
      { ...token, id: 'never', expiresAt: null },
    ];
    const text = directoryText({ epoch: 'e', version: 3, ...nobody, tokens }, 1_000);
    expect(JSON.parse(text)).toMatchObject({ epoch: 'e', version: 3, issuedAt: 1_000, tokens: [{ id: 'later' }, { id: 'never' }] });
  });

  it('leaves out denied grants that no token of can live any more', () => {
    const denied = [{ id: 'over', until: 1_000 }, { id: 'kept', until: 1_001 }];
    const text = directoryText({ epoch: 'e', version: 3, ...nobody, denied }, 1_000);
    expect(JSON.parse(text)).toMatchObject({ denied: [{ id: 'kept', until: 1_001 }] });
  });
});
