import { describe, expect, it } from '@jest/globals';
import { compilePolicies } from './compiled-policies.js';
import type { Question } from './question.js';

const ask = (server: string): Question => ({
  caller: { id: 'per_1', email: null, teams: [], roles: [] },
  client: '',
  action: 'call',
  server: { id: `srv_${server}`, name: server },
  target: { kind: 'tool', name: 't' },
});

describe('parsed sets', () => {
  it('are put out beyond the limit and parsed again when asked', () => {
    const servers = Array.from({ length: 300 }, (_, index) => `s${index}`);
    const permits = servers.map((server) => ({ name: server, text: `permit(principal, action, resource in Gatehouse::Server::"${server}");` }));
    const policies = compilePolicies({ epoch: 'e', version: 1, policies: permits });
    for (const round of [1, 2]) {
      for (const server of servers) expect([round, policies.decideFresh(ask(server)).policies]).toEqual([round, [server]]);
    }
    policies.dispose();
    expect(policies.decideFresh(ask('s7')).policies).toEqual(['s7']);
    policies.dispose();
  });

  it('of a snapshot that was disposed of never answer for the next one', () => {
    const make = (version: number, effect: string) =>
      compilePolicies({ epoch: 'e', version, policies: [{ name: 'p', text: `${effect}(principal, action, resource);` }] });
    for (let version = 1; version < 50; version += 1) {
      const effect = version % 2 === 0 ? 'permit' : 'forbid';
      const policies = make(version, effect);
      expect(policies.decide(ask('a')).effect).toBe(effect === 'permit' ? 'allow' : 'deny');
      policies.dispose();
    }
  });
});
