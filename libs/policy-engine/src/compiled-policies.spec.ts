import { describe, expect, it } from '@jest/globals';
import { compilePolicies } from './compiled-policies.js';
import type { Question } from './question.js';

const ALL = 'permit(principal is Gatehouse::Person, action, resource);';

const compile = (policies: Record<string, string>, version = 1) =>
  compilePolicies({ epoch: 'e1', version, policies: Object.entries(policies).map(([name, text]) => ({ name, text })) });

const ask = (more: Partial<Question> = {}): Question => ({
  caller: { id: 'per_ada', name: 'Ada', email: 'ada@example.com', teams: ['engineering'], roles: ['member'] },
  client: 'Claude',
  action: 'call',
  server: { id: 'srv_1', name: 'notion' },
  target: { kind: 'tool', name: 'search' },
  ...more,
});

const tool = (name: string): Partial<Question> => ({ target: { kind: 'tool', name } });

describe('decisions', () => {
  it('denies with no_policy when no policy permits', () => {
    expect(compile({}).decide(ask())).toEqual({ effect: 'deny', reason: 'no_policy', policies: [], snapshot: 'e1.1' });
  });

  it('names the policy that permits', () => {
    expect(compile({ everybody: ALL }).decide(ask())).toEqual({ effect: 'allow', reason: 'permitted', policies: ['everybody'], snapshot: 'e1.1' });
  });

  it('lets a forbid win over any permit and names it', () => {
    const policies = compile({ everybody: ALL, 'no-delete': 'forbid(principal, action, resource == Gatehouse::Tool::"notion/delete");' });
    expect(policies.decide(ask(tool('delete')))).toMatchObject({ effect: 'deny', reason: 'forbidden', policies: ['no-delete'] });
    expect(policies.decide(ask(tool('search')))).toMatchObject({ effect: 'allow' });
  });

  it('names all policies that forbid, and a policy of several statements once', () => {
    const forbid = 'forbid(principal, action, resource);';
    expect(compile({ b: forbid + forbid, a: forbid, everybody: ALL }).decide(ask()).policies).toEqual(['a', 'b']);
  });

  it('denies when a policy cannot be evaluated, even if another permits', () => {
    const policies = compile({ everybody: ALL, limit: 'forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.amount > 5 };' });
    expect(policies.decide(ask())).toMatchObject({ effect: 'deny', reason: 'evaluation_error', policies: ['limit'] });
    expect(policies.decide(ask({ arguments: { amount: 6 } }))).toMatchObject({ effect: 'deny', reason: 'forbidden' });
    expect(policies.decide(ask({ arguments: { amount: 5 } }))).toMatchObject({ effect: 'allow' });
  });

  it('keeps working for questions that are under way when it is disposed of', () => {
    const policies = compile({ everybody: ALL });
    policies.dispose();
    expect(policies.decideFresh(ask()).effect).toBe('allow');
    policies.dispose();
  });

  it('takes over unchanged policies of the snapshot before and reads the others', () => {
    const before = compile({ everybody: ALL, other: 'forbid(principal, action, resource in Gatehouse::Server::"github");' });
    const source = { epoch: 'e1', version: 2, policies: [{ name: 'everybody', text: ALL }, { name: 'other', text: 'forbid(principal, action, resource in Gatehouse::Server::"notion");' }] };
    const after = compilePolicies(source, before);
    expect(after.documents.get('everybody')).toBe(before.documents.get('everybody'));
    expect(after.decide(ask())).toMatchObject({ reason: 'forbidden', snapshot: 'e1.2' });
    expect(before.decide(ask())).toMatchObject({ effect: 'allow', snapshot: 'e1.1' });
  });
});

describe('what a policy can look at', () => {
  const permits = (condition: string, question: Partial<Question> = {}, scope = 'principal, action, resource') =>
    compile({ p: `permit(${scope})${condition === '' ? '' : ` when { ${condition} }`};` }).decide(ask(question)).effect === 'allow';

  const none: Partial<Question> = { caller: { id: 'per_ada', email: null, teams: [], roles: [] } };
  const connect = { action: 'connect', target: undefined } as unknown as Partial<Question>;
  const CALL = 'principal, action == Gatehouse::Action::"call", resource';
  const rows: [what: string, condition: string, scope: string | undefined, question: Partial<Question>, expected: boolean][] = [
    ['a team of the caller', '', 'principal in Gatehouse::Team::"engineering", action, resource', {}, true],
    ['a team of others', '', 'principal in Gatehouse::Team::"sales", action, resource', {}, false],
    ['a team in another case', '', 'principal in Gatehouse::Team::"Engineering", action, resource', {}, false],
    ['a caller without teams', '', 'principal in Gatehouse::Team::"engineering", action, resource', none, false],
    ['a role', 'principal in Gatehouse::Role::"member"', undefined, {}, true],
    ['one of several teams', 'principal in [Gatehouse::Team::"sales", Gatehouse::Team::"engineering"]', undefined, {}, true],
    ['one person', '', 'principal == Gatehouse::Person::"per_ada", action, resource', {}, true],
    ['another person', '', 'principal == Gatehouse::Person::"per_bob", action, resource', {}, false],
    ['an e-mail domain', 'principal has email && principal.email like "*@example.com"', undefined, {}, true],
    ['an e-mail of someone without', 'principal has email && principal.email like "*"', undefined, none, false],
    ['the client', 'context.client == "Claude"', undefined, {}, true],
    ['another client', 'context.client == "claude"', undefined, {}, false],
    ['one action', '', 'principal, action == Gatehouse::Action::"call", resource', {}, true],
    ['another action', '', 'principal, action == Gatehouse::Action::"read", resource', {}, false],
    ['a list of actions', '', 'principal, action in [Gatehouse::Action::"read", Gatehouse::Action::"call"], resource', {}, true],
    ['all of a server', '', 'principal, action, resource in Gatehouse::Server::"notion"', {}, true],
    ['all of another server', '', 'principal, action, resource in Gatehouse::Server::"github"', {}, false],
    ['the server itself', '', 'principal, action == Gatehouse::Action::"connect", resource == Gatehouse::Server::"notion"', connect, true],
    ['the tools of a server', '', 'principal, action, resource is Gatehouse::Tool in Gatehouse::Server::"notion"', {}, true],
    ['a prompt of the same name', '', 'principal, action, resource == Gatehouse::Tool::"notion/search"', { action: 'get', target: { kind: 'prompt', name: 'search' } }, false],
    ['a tool in another case', '', 'principal, action, resource == Gatehouse::Tool::"notion/search"', tool('Search'), false],
    ['a tool with a slash in its name', '', 'principal, action, resource == Gatehouse::Tool::"notion/a/b"', tool('a/b'), true],
    ['a tool with a quotation mark in its name', '', 'principal, action, resource == Gatehouse::Tool::"notion/a\\"b"', tool('a"b'), true],
    ['a pattern for names', 'resource.name like "sea*h"', undefined, {}, true],
    ['a pattern of nothing', 'resource.name like ""', undefined, {}, false],
    ['a star that is a star', 'resource.name like "a\\*"', undefined, tool('ab'), false],
    ['a name that looks composed but is not', 'resource.name == "caf\\u{e9}"', undefined, tool('cafe\u0301'), false],
    ['the server by attribute', 'resource.server == "notion"', undefined, {}, true],
    ['the server by attribute on connect', 'resource.server == "notion"', undefined, connect, true],
    ['a negation', '!(resource.name == "delete")', undefined, {}, true],
    ['membership in a set', '["search", "fetch"].contains(resource.name)', undefined, {}, true],
    ['the time', 'context.time > 1000', undefined, { time: 1_001 }, true],
    ['too early a time', 'context.time > 1000', undefined, { time: 1_000 }, false],
    ['a string argument', 'context.arguments has path && context.arguments.path like "/tmp/*"', CALL, { arguments: { path: '/tmp/x' } }, true],
    ['whether there are arguments', 'context has arguments', undefined, {}, true],
    ['whether there are arguments on connect', 'context has arguments', undefined, connect, false],
    ['an argument, for all actions', '!(context has arguments.x)', undefined, connect, true],
    ['an argument inside of arguments', 'context.arguments.a.b == 1', CALL, { arguments: { a: { b: 1 } } }, true],
    ['an argument in a list', 'context.arguments.to.contains("x")', CALL, { arguments: { to: ['y', 'x'] } }, true],
    ['an argument by a name with spaces', 'context.arguments["a b"] == true', CALL, { arguments: { 'a b': true } }, true],
    ['an argument called __proto__', 'context.arguments has "__proto__"', CALL, { arguments: JSON.parse('{"__proto__": 1}') }, true],
    ['a null argument', 'context.arguments.x == Gatehouse::Json::"null"', CALL, { arguments: { x: null } }, true],
    ['a fraction', 'context.arguments.x.lessThan(decimal("1.6"))', CALL, { arguments: { x: 1.5 } }, true],
  ];

  it.each(rows)('%s', (...[, condition, scope, question, expected]) => {
    expect(permits(condition, question, scope)).toBe(expected);
  });
});

describe('arguments that JSON can say and Cedar cannot', () => {
  const limit = compile({ everybody: ALL, limit: 'forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments has x && context.arguments.x > 100 };' });
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

  it.each([
    ['a fraction above the limit', 100.5],
    ['a number beyond 2^53', 1e300],
    ['many decimals', 100.123456789],
    ['null', null],
    ['a string', '101'],
    ['an entity in disguise', { __entity: { type: 'Gatehouse::Json', id: 'null' } }],
    ['a function in disguise', { __extn: { fn: 'unknown', arg: 'x' } }],
    ['half a character', '\ud800'],
    ['too many values', Array.from({ length: 3_000 }, () => 1)],
    ['too long a string', 'x'.repeat(200_000)],
    ['too deep a value', nested(80)],
  ])('%s never slips past a limit', (_what, x) => {
    expect(limit.decide(ask({ arguments: { x: x as never } }))).toMatchObject({ effect: 'deny', reason: 'evaluation_error' });
  });

  it('does not mind what no policy reads', () => {
    expect(limit.decide(ask({ arguments: { body: 'x'.repeat(1_000_000), x: 1 } })).effect).toBe('allow');
  });

  it('denies within bounds when patterns meet long strings', () => {
    const policies = compile({ everybody: ALL, slow: `forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.x like "*${'a'.repeat(500)}b*" };` });
    const start = performance.now();
    expect(policies.decide(ask({ arguments: { x: 'a'.repeat(100_000) } })).reason).toBe('evaluation_error');
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('denies names that are not Unicode or longer than any name', () => {
    expect(compile({ everybody: ALL }).decide(ask(tool('\udfff'))).reason).toBe('evaluation_error');
    expect(compile({ everybody: ALL }).decide(ask(tool('x'.repeat(9_000)))).reason).toBe('evaluation_error');
  });
});

describe('lists, where arguments are not known', () => {
  const limited = 'forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.amount > 100 };';

  it('shows a tool that some arguments are let through to', () => {
    const policies = compile({ everybody: ALL, limited });
    expect(policies.decide(ask({ arguments: {} })).effect).toBe('deny');
    expect(policies.decideListing(ask())).toMatchObject({ effect: 'allow', policies: ['everybody'] });
  });

  it('hides a tool that no arguments are let through to', () => {
    const policies = compile({ some: 'permit(principal, action == Gatehouse::Action::"call", resource) when { principal in Gatehouse::Team::"sales" && context.arguments.amount < 5 };', limited });
    expect(policies.decideListing(ask())).toMatchObject({ effect: 'deny', reason: 'no_policy' });
    expect(policies.decideListing(ask({ caller: { ...ask().caller, teams: ['sales'] } })).effect).toBe('allow');
  });

  it('says the same as a decision when no policy looks at arguments', () => {
    const policies = compile({ everybody: ALL, no: 'forbid(principal, action, resource == Gatehouse::Tool::"notion/delete");' });
    expect(policies.decideListing(ask(tool('delete')))).toBe(policies.decide(ask(tool('delete'))));
  });
});

describe('memory', () => {
  it('answers the same question with the same object', () => {
    const policies = compile({ everybody: ALL });
    expect(policies.decide(ask())).toBe(policies.decide(ask({ arguments: { any: 1 }, client: 'Cursor' })));
  });

  it('answers people of the same teams and roles together unless a policy says who', () => {
    const bob = ask({ caller: { ...ask().caller, id: 'per_bob', email: 'bob@example.com' } });
    const same = compile({ everybody: ALL });
    expect(same.decide(ask())).toBe(same.decide(bob));
    const apart = compile({ ada: 'permit(principal, action, resource) when { principal.id == "per_ada" };' });
    expect([apart.decide(ask()).effect, apart.decide(bob).effect]).toEqual(['allow', 'deny']);
    const literal = compile({ ada: 'permit(principal, action, resource) when { Gatehouse::Person::"per_ada" has email };' });
    expect([literal.decide(ask()).effect, literal.decide(bob).effect]).toEqual(['allow', 'deny']);
  });

  it('tells clients apart when a policy does', () => {
    const policies = compile({ one: 'permit(principal, action, resource) when { context.client == "Claude" };' });
    expect([policies.decide(ask()).effect, policies.decide(ask({ client: 'Cursor' })).effect]).toEqual(['allow', 'deny']);
  });

  it('is not deceived by names that run into one another', () => {
    const policies = compile({ p: 'permit(principal in Gatehouse::Team::"a", action, resource);' });
    const teams = (...names: string[]) => policies.decide(ask({ caller: { ...ask().caller, teams: names } })).effect;
    expect([teams('a', 'b'), teams('a1:b'), teams('a,b'), teams('a')]).toEqual(['allow', 'deny', 'deny', 'allow']);
  });

  it('does not remember what depends on the time', () => {
    const policies = compile({ p: 'permit(principal, action, resource) when { context.time < 1000 };' });
    expect([policies.decide(ask({ time: 999 })).effect, policies.decide(ask({ time: 1_000 })).effect]).toEqual(['allow', 'deny']);
  });
});
