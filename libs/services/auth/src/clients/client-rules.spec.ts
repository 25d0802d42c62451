import type { clientContracts } from '@gatehouse/contracts';
import { describe, expect, it } from '@jest/globals';
import { decisionOf, type ClientFacts } from './client-rules.js';

type Rule = clientContracts.ClientRule;

const rule = (part: Partial<Rule>): Rule => ({ kind: 'any', host: '*', name: null, effect: 'deny', requireDpop: false, ...part });
const dynamic = (part: Partial<ClientFacts> = {}): ClientFacts => ({ kind: 'dynamic', id: 'dcr_1', name: 'Claude Code', redirectUris: ['https://claude.ai/cb'], ...part });
const document = (id: string): ClientFacts => ({ kind: 'metadata-document', id, name: 'Doc', redirectUris: ['https://elsewhere.test/cb'] });
const effect = (rules: Rule[], client: ClientFacts): string => decisionOf(rules, client).effect;

describe('rules about clients', () => {
  it('let everybody in when there are none, or none matches', () => {
    expect(decisionOf([], dynamic())).toEqual({ effect: 'allow', requireDpop: false });
    expect(effect([rule({ host: 'evil.test' })], dynamic())).toBe('allow');
  });

  it('are asked in order; the first that matches decides', () => {
    const rules = [rule({ host: 'claude.ai', effect: 'allow', requireDpop: true }), rule({ effect: 'review' })];
    expect(decisionOf(rules, dynamic())).toMatchObject({ effect: 'allow', requireDpop: true });
    expect(effect(rules, dynamic({ redirectUris: ['https://other.test/cb'] }))).toBe('review');
  });

  it('are about one kind or any', () => {
    expect(effect([rule({ kind: 'metadata-document' })], dynamic())).toBe('allow');
    expect(effect([rule({ kind: 'dynamic' })], dynamic())).toBe('deny');
  });

  it('let in only when every redirect host is named, and keep out when one is', () => {
    const both = dynamic({ redirectUris: ['https://claude.ai/cb', 'https://evil.test/cb'] });
    expect(effect([rule({ host: 'claude.ai', effect: 'allow' }), rule({})], both)).toBe('deny');
    expect(effect([rule({ host: 'evil.test' })], both)).toBe('deny');
    expect(effect([rule({ host: 'evil.test', effect: 'review' })], both)).toBe('review');
  });

  it('go by the host of the document, not by where it wants to be called back', () => {
    expect(effect([rule({ host: 'vendor.test' })], document('https://vendor.test/client.json'))).toBe('deny');
    expect(effect([rule({ host: 'elsewhere.test' })], document('https://vendor.test/client.json'))).toBe('allow');
  });

  it.each([
    ['*.claude.ai', 'https://api.claude.ai/cb', true],
    ['*.claude.ai', 'https://claude.ai/cb', false],
    ['*.claude.ai', 'https://evilclaude.ai/cb', false],
    ['claude.ai', 'https://claude.ai.evil.test/cb', false],
    ['claude.ai', 'https://CLAUDE.ai/cb', true],
    ['claude.ai', 'app://claude.ai/cb', false],
    ['*', 'app://claude.ai/cb', true],
    ['localhost', 'http://localhost:3000/cb', true],
  ])('host %s and %s: %s', (host, uri, fits) => {
    expect(effect([rule({ host, effect: 'allow' }), rule({})], dynamic({ redirectUris: [uri] })) === 'allow').toBe(fits);
  });

  it('an allow for a host is not for a client without any redirect URI', () => {
    expect(effect([rule({ host: 'claude.ai', effect: 'allow' }), rule({})], dynamic({ redirectUris: [] }))).toBe('deny');
  });

  it.each([['claude', true], ['CLAUDE code', true], ['ｃlaude', true], ['cursor', false]])('name %s: %s', (name, fits) => {
    expect(effect([rule({ name })], dynamic()) === 'deny').toBe(fits);
  });
});
