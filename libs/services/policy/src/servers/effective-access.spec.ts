import { describe, expect, it } from '@jest/globals';
import { effectiveAccess, type AccessAsFound, type AccessAsSet } from './effective-access.js';

const SET: AccessAsSet = { auth: 'auto', identityMode: null, transport: 'auto', hasPlainHeaders: false, hasSecretHeaders: false, grant: undefined };
const FOUND: AccessAsFound = { verdict: null, transport: null };

type Row = [what: string, set: Partial<AccessAsSet>, found: Partial<AccessAsFound>, auth: string, identityMode: string, transport?: string];

const ROWS: Row[] = [
  ['nothing known', {}, {}, 'auto', 'none'],
  ['open', {}, { verdict: 'open', transport: 'streamable-http' }, 'none', 'none', 'streamable-http'],
  ['a sign-in', {}, { verdict: 'sign_in', transport: 'sse' }, 'oauth', 'private-or-global', 'sse'],
  ['a client is missing', {}, { verdict: 'client' }, 'oauth', 'private-or-global'],
  ['a header is missing', {}, { verdict: 'header' }, 'headers', 'private-or-global'],
  ['broken on the way', {}, { verdict: 'failed' }, 'auto', 'none'],
  ['plain headers, open', { hasPlainHeaders: true }, { verdict: 'open' }, 'none', 'none'],
  ['plain headers, a sign-in', { hasPlainHeaders: true }, { verdict: 'sign_in' }, 'oauth', 'private-or-global'],
  ['plain headers, more wanted', { hasPlainHeaders: true }, { verdict: 'header' }, 'headers', 'private-or-global'],
  ['plain headers as set', { auth: 'headers', hasPlainHeaders: true }, {}, 'headers', 'none'],
  ['plain headers as set, more wanted', { auth: 'headers', hasPlainHeaders: true }, { verdict: 'header' }, 'headers', 'private-or-global'],
  ['everybody brings a header', { auth: 'headers' }, {}, 'headers', 'private-or-global'],
  ['secret headers', { auth: 'headers', hasSecretHeaders: true }, {}, 'headers', 'global'],
  ['secret headers beside plain ones', { auth: 'headers', hasPlainHeaders: true, hasSecretHeaders: true }, { verdict: 'sign_in' }, 'headers', 'global'],
  ['secret headers without a word', { hasSecretHeaders: true }, { verdict: 'sign_in' }, 'headers', 'global'],
  ['secret headers of each person', { auth: 'headers', hasSecretHeaders: true, identityMode: 'private-required' }, {}, 'headers', 'private-required'],
  ['none as set, whatever is seen', { auth: 'none' }, { verdict: 'sign_in' }, 'none', 'none'],
  ['OAuth as set, before anybody looked', { auth: 'oauth' }, {}, 'oauth', 'private-or-global'],
  ['OAuth as set, whatever is seen', { auth: 'oauth' }, { verdict: 'open' }, 'oauth', 'private-or-global'],
  ['authorization code', { auth: 'oauth', grant: 'authorization_code' }, {}, 'oauth', 'private-or-global'],
  ['client credentials', { auth: 'oauth', grant: 'client_credentials' }, {}, 'oauth', 'global'],
  ['token exchange', { auth: 'oauth', grant: 'token_exchange' }, {}, 'oauth', 'private-required'],
  ['ID-JAG, found', { grant: 'id_jag' }, { verdict: 'sign_in' }, 'oauth', 'private-required'],
  ['a grant where no sign-in is wanted', { grant: 'client_credentials' }, { verdict: 'open' }, 'none', 'none'],
  ['a mode as set', { identityMode: 'global' }, { verdict: 'sign_in' }, 'oauth', 'global'],
  ['switched off', { identityMode: 'none' }, { verdict: 'sign_in' }, 'oauth', 'none'],
  ['a transport as set', { transport: 'sse' }, { transport: 'streamable-http' }, 'auto', 'none', 'sse'],
];

describe('how calls are signed in', () => {
  it.each(ROWS)('%s', (_what, set, found, auth, identityMode, transport = 'auto') => {
    expect(effectiveAccess({ ...SET, ...set }, { ...FOUND, ...found })).toEqual({ auth, identityMode, transport });
  });
});
