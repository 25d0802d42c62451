import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePolicies, type CompiledPolicies } from './compiled-policies.js';
import type { Question } from './question.js';

const SERVERS = ['notion', 'github'];
const NAMES = ['search', 'delete', 'a/b'];
const TEAMS = ['red', 'blue'];
const PEOPLE = ['per_1', 'per_2'];

const pick = (values: readonly string[]) => fc.constantFrom(...values);

const principal = fc.oneof(
  fc.constant('principal'),
  fc.constant('principal is Gatehouse::Person'),
  pick(TEAMS).map((team) => `principal in Gatehouse::Team::"${team}"`),
  pick(PEOPLE).map((id) => `principal == Gatehouse::Person::"${id}"`),
);
const resource = fc.oneof(
  fc.constant('resource'),
  pick(SERVERS).map((server) => `resource in Gatehouse::Server::"${server}"`),
  fc.tuple(pick(SERVERS), pick(NAMES)).map(([server, name]) => `resource == Gatehouse::Tool::"${server}/${name}"`),
);
const plain = fc.oneof(
  fc.constant(''),
  pick(NAMES).map((name) => ` when { resource.name == "${name}" }`),
  pick(PEOPLE).map((id) => ` unless { principal.id == "${id}" }`),
  pick(TEAMS).map((team) => ` when { principal in [Gatehouse::Team::"${team}"] }`),
  pick(['Claude', 'Cursor']).map((client) => ` when { context.client == "${client}" }`),
);
const onArguments = fc.oneof(
  fc.constant(' when { context.arguments has amount && context.arguments.amount > 10 }'),
  fc.constant(' when { resource.server == "notion" && !(context.arguments has amount) }'),
  fc.constant(' unless { context.arguments has path && context.arguments.path like "/a*" }'),
);

const statement = (effect: fc.Arbitrary<string>, condition: fc.Arbitrary<string>) =>
  fc.tuple(effect, principal, resource, condition).map(([what, who, on, when]) => `${what}(${who}, action == Gatehouse::Action::"call", ${on})${when};`);
const scopeAsCondition = (text: string): string => text.replace(/, (resource (?:in|==) [^)]*)\)/, ', resource) when { $1 }');
const either = fc.constantFrom('permit', 'forbid');
const question: fc.Arbitrary<Question> = fc.record({
  caller: fc.record({ id: pick(PEOPLE), email: fc.constant(null), teams: fc.subarray(TEAMS), roles: fc.constant(['member']) }),
  client: pick(['Claude', 'Cursor']),
  action: fc.constant('call' as const),
  server: pick([...SERVERS, 'linear']).map((name) => ({ id: `srv_${name}`, name })),
  target: pick(NAMES).map((name) => ({ kind: 'tool' as const, name })),
  arguments: fc.oneof(fc.constant({}), fc.record({ amount: fc.constantFrom(5, 50) }), fc.record({ path: fc.constantFrom('/a/b', '/c') })),
});

describe('for all policies and questions', () => {
  const made: CompiledPolicies[] = [];
  const compile = (texts: readonly string[]) => {
    const policies = compilePolicies({ epoch: 'e', version: 1, policies: texts.map((text, index) => ({ name: `p${index}`, text })) });
    made.push(policies);
    return policies;
  };

  afterEach(() => made.splice(0).forEach((policies) => policies.dispose()));

  it('what is remembered equals what is decided afresh, and a slice says what all statements together say', () => {
    fc.assert(
      fc.property(fc.array(statement(either, fc.oneof(plain, onArguments)), { maxLength: 6 }), fc.array(question, { minLength: 1, maxLength: 20 }), (texts, questions) => {
        const policies = compile(texts);
        // A scope written as a condition is no scope: these are asked about every server.
        const whole = compile(texts.map(scopeAsCondition));
        for (const one of questions) {
          const fresh = policies.decideFresh(one);
          expect(policies.decide(one)).toEqual(fresh);
          expect(policies.decide({ ...one })).toEqual(fresh);
          expect(whole.decideFresh(one)).toEqual(fresh);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('listed if and only if callable, when no policy looks at arguments', () => {
    fc.assert(
      fc.property(fc.array(statement(either, plain), { maxLength: 6 }), question, (texts, one) => {
        const policies = compile(texts);
        expect(policies.decideListing(one).effect).toBe(policies.decideFresh(one).effect);
      }),
      { numRuns: 100 },
    );
  });

  it('whatever is callable with some arguments is listed', () => {
    fc.assert(
      fc.property(fc.array(statement(either, fc.oneof(plain, onArguments)), { maxLength: 6 }), question, (texts, one) => {
        const policies = compile(texts);
        if (policies.decideFresh(one).effect === 'allow') expect(policies.decideListing(one).effect).toBe('allow');
      }),
      { numRuns: 150 },
    );
  });

  it('one forbid that matches beats any number of permits and is named', () => {
    fc.assert(
      fc.property(fc.array(statement(fc.constant('permit'), plain), { maxLength: 5 }), question, (texts, one) => {
        const policies = compile([...texts, `forbid(principal, action, resource == Gatehouse::Tool::"${one.server.name}/${one.target!.name}");`]);
        expect(policies.decide(one)).toMatchObject({ effect: 'deny', reason: 'forbidden', policies: [`p${texts.length}`] });
      }),
      { numRuns: 60 },
    );
  });
});
