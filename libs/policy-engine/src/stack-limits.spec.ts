import { afterAll, describe, expect, it } from '@jest/globals';
import { Fault, Refusal } from '@gatehouse/kernel';
import { TestClock } from '@gatehouse/testing';
import { Cedar } from './cedar.js';
import { compilePolicies } from './compiled-policies.js';
import type { Question } from './question.js';

const when = (condition: string): string => `permit(principal, action == Gatehouse::Action::"call", resource) when { ${condition} };`;
const compile = (text: string) => compilePolicies({ epoch: 'e', version: 1, policies: [{ name: 'p', text }] });
const question: Question = {
  caller: { id: 'per_1', email: null, teams: [], roles: [] },
  client: '',
  action: 'call',
  server: { id: 'srv_1', name: 's' },
  target: { kind: 'tool', name: 't' },
};

/** Each shape makes Cedar recurse in another place; `n` is how deep. */
const SHAPES: [shape: string, text: (n: number) => string][] = [
  ['brackets', (n) => when(`${'('.repeat(n)}true${')'.repeat(n)}`)],
  ['negated brackets', (n) => when(`${'(!'.repeat(n)}true${')'.repeat(n)}`)],
  ['sets', (n) => when(`${'['.repeat(n)}1${']'.repeat(n)} == context.arguments.a`)],
  ['records', (n) => when(`${'{a:'.repeat(n)}1${'}'.repeat(n)} == context.arguments.a`)],
  ['calls', (n) => when(`${'[true].contains('.repeat(n)}true${')'.repeat(n)}`)],
  ['conjunctions', (n) => when(Array.from({ length: n }, () => 'principal == principal').join(' && '))],
  ['alternatives', (n) => when(Array.from({ length: n }, () => 'resource.name == "x"').join(' || '))],
  ['sums', (n) => when(`${Array.from({ length: n }, () => 'context.time').join(' + ')} == 3`)],
  ['attributes', (n) => when(`context.arguments${'.a'.repeat(n)} == 3`)],
  ['indexes', (n) => when(`context.arguments${'["a"]'.repeat(n)} == 3`)],
  ['conditionals', (n) => when(`${'if principal == principal then '.repeat(n)}true${' else false'.repeat(n)}`)],
  ['clauses', (n) => `permit(principal, action, resource)${' when { principal == principal }'.repeat(n)};`],
];

describe('the stack of Cedar', () => {
  afterAll(() => compile('permit(principal, action, resource);').dispose());

  it.each(SHAPES)('%s: what is accepted is decided, what is refused harms nobody', (_shape, text) => {
    let accepted = 0;
    for (const depth of [8, 16, 24, 28, 32, 40, 48, 56, 58, 60, 62, 63, 64, 65, 80, 120, 250]) {
      let policies;
      try {
        policies = compile(text(depth));
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        continue;
      }
      accepted = depth;
      const deep = { a: JSON.parse('{"a":'.repeat(60) + '1' + '}'.repeat(60)) };
      // A trap would surface as an error without the name of a policy.
      expect(policies.decideFresh({ ...question, arguments: deep })).not.toMatchObject({ reason: 'evaluation_error', policies: [] });
      expect(policies.decideListing(question)).not.toMatchObject({ reason: 'evaluation_error', policies: [] });
      policies.dispose();
    }
    expect(accepted).toBeGreaterThanOrEqual(24);
    expect(compile('permit(principal, action, resource);').decideFresh(question).effect).toBe('allow');
  });

  it.each([
    ['brackets', when('('.repeat(30_000) + 'true' + ')'.repeat(30_000))],
    ['exclamation marks', when(`${'!'.repeat(60_000)}true`)],
    ['clauses', `permit(principal, action, resource)${' when {true}'.repeat(5_000)};`],
    ['annotations', `${'@a("b") '.repeat(8_000)}permit(principal, action, resource);`],
    ['one long string', when(`"${'x'.repeat(60_000)}" == resource.name`).replace('""', '"')],
  ])('64 KiB of %s end in a refusal or a policy, and in time', (_what, text) => {
    const start = performance.now();
    try {
      compile(text).decideFresh(question);
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('a trap', () => {
  const trap = when(Array.from({ length: 5_000 }, () => 'true').join(' && '));

  it('costs one answer: a fresh instance takes over', () => {
    const clock = new TestClock();
    const cedar = new Cedar(clock);
    expect(cedar.run((api) => api.checkParsePolicySet({ staticPolicies: when('true') })).type).toBe('success');
    expect(() => cedar.run((api) => api.policyToJson(trap))).toThrow(Fault);
    expect(() => cedar.run((api) => api.getCedarVersion())).toThrow('too often');
    clock.advance(1_000);
    expect(cedar.run((api) => api.checkParsePolicySet({ staticPolicies: when('true') })).type).toBe('success');
    expect(cedar.generation).toBe(1);
  });
});
