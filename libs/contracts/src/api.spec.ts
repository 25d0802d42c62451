import { describe, expect, it } from '@jest/globals';
import { policyBody, recordQuery, serverBody, testBody, tokenBody, personBody } from './api.js';

const url = 'https://mcp.example/mcp';

describe('the bodies of the admin API', () => {
  it('have the defaults that a newcomer needs', () => {
    expect(serverBody.parse({ url })).toEqual({ url, transport: 'auto', auth: { kind: 'auto' }, headers: [], stateless: false, allowPrivateNetwork: false, signCalls: false, forwardHeaders: [] });
    expect(tokenBody.parse({ name: 'mine' })).toEqual({ name: 'mine', scopes: ['mcp:access'], expiresAt: null });
    expect(personBody.parse({ name: 'Ada' })).toEqual({ name: 'Ada', email: null, roles: ['member'], teams: [] });
  });

  it.each([
    ['a command', serverBody, { url, command: 'sh' }],
    ['an owner', serverBody, { url, owner: 'per_1' }],
    ['a capability', personBody, { name: 'Ada', capabilities: ['servers.manage'] }],
    ['a digest', tokenBody, { name: 'mine', digest: 'x' }],
    ['a version', policyBody, { text: 'permit (principal, action, resource);', version: 9 }],
    ['headers beside none', serverBody, { url, auth: { kind: 'none', headers: [] } }],
    ['a header with more to it', serverBody, { url, auth: { kind: 'headers', headers: [{ name: 'a', value: 'b', origin: 'x' }] } }],
  ])('do not take %s (A-19)', (_what, schema, body) => {
    expect(schema.safeParse(body).success).toBe(false);
  });

  it('treat a header as secret only when told', () => {
    const body = serverBody.parse({ url, auth: { kind: 'headers', headers: [{ name: 'X-Key', value: 'v' }] } });
    expect(body.auth).toEqual({ kind: 'headers', headers: [{ name: 'X-Key', value: 'v', secret: false }] });
  });

  it('read a question of records from the text of a query', () => {
    expect(recordQuery.parse({ limit: '10', follow: 'true', since: '5', waitMs: '100' })).toEqual({ limit: 10, follow: true, since: 5, waitMs: 100 });
    for (const query of [{ limit: '0' }, { limit: '1001' }, { limit: '1e9' }, { since: '-1' }, { waitMs: '5001' }, { sort: 'id' }, { tool: ['a', 'b'] }, { outcome: 'fine' }]) {
      expect([query, recordQuery.safeParse(query).success]).toEqual([query, false]);
    }
  });

  it('fill in what a test of policies leaves out', () => {
    const { question, draft } = testBody.parse({ question: { person: { id: 'p' }, action: 'call', server: 'tools', target: 'echo' } });
    expect([question, draft]).toEqual([{ person: { id: 'p', email: null, teams: [], roles: ['member'] }, client: '', action: 'call', server: 'tools', target: 'echo', arguments: {} }, null]);
  });
});
