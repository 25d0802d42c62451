import { describe, expect, it } from '@jest/globals';
import { Refusal } from '@gatehouse/kernel';
import { compilePolicies } from './compiled-policies.js';
import { parsePolicyDocument } from './parse-policy-document.js';

const compile = (text: string) => compilePolicies({ epoch: 'e', version: 1, policies: [{ name: 'mine', text }] });

function problemOf(act: () => unknown): Record<string, unknown> {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'invalid_policy') return error.details;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('policies that are refused', () => {
  it.each([
    ['text that is not Cedar', 'permit everything', /unexpected/],
    ['a missing semicolon', 'permit(principal, action, resource)', /expected `;`/],
    ['nothing at all', '  // only a comment\n', /no statement/],
    ['half a character', 'permit(principal, action, resource) when { resource.name == "\ud800" };', /Unicode/],
    ['a NUL', 'permit(principal, action, resource) when { resource.name == "\u0000" };', /NUL/],
    ['a template', 'permit(principal == ?principal, action, resource);', /template/],
    ['an unknown action', 'permit(principal, action == Gatehouse::Action::"cal", resource);', /unrecognized action.*did you mean/],
    ['an action without the namespace', 'permit(principal, action == Action::"call", resource);', /unrecognized action.*did you mean `Gatehouse::Action/],
    ['an unknown entity type', 'permit(principal in Gatehouse::Group::"x", action, resource);', /unrecognized entity type/],
    ['an unknown attribute', 'permit(principal, action, resource) when { resource.nam == "x" };', /attribute `nam`.*did you mean `name`/],
    ['an unknown member of the context', 'permit(principal, action, resource) when { context.argument has x };', /did you mean `arguments`/],
    ['an optional attribute read blindly', 'permit(principal, action, resource) when { principal.email like "*" };', /principal.email|has email/],
    ['operands of different types', 'permit(principal, action, resource) when { resource.name == 1 };', /not compatible/],
    ['a scope that fits no action', 'forbid(principal, action == Gatehouse::Action::"call", resource == Gatehouse::Server::"notion");', /never|applicable.*in Server/],
    ['a list of no actions', 'permit(principal, action in [], resource);', /empty set/],
    ['arguments of actions that have none', 'forbid(principal, action, resource) when { context.arguments.x == 1 };', /only call and get have arguments/],
    ['a tool without its server', 'forbid(principal, action, resource == Gatehouse::Tool::"delete");', /<server>\/<name>/],
    ['a tool without its server in a condition', 'forbid(principal, action, resource) when { [Gatehouse::Tool::"delete"].contains(resource) };', /<server>\/<name>/],
    ['a server that cannot be', 'forbid(principal, action, resource in Gatehouse::Server::"My Server");', /names nothing/],
    ['a text of more than 64 KiB', `${'/'.repeat(65_536)}\npermit(principal, action, resource);`, /limit is 65536/],
  ])('%s', (_what, text, problem) => {
    const details = problemOf(() => compile(text));
    expect(details['policy']).toBe('mine');
    expect(details['problem']).toMatch(problem);
  });

  it('points at the line and column, in characters', () => {
    const text = '// é\npermit(principal, action, resource);\nforbid(principal, action, resource)\n  when { "é" == foo };';
    expect(problemOf(() => compile(text))).toMatchObject({ line: 4, column: 17 });
    expect(problemOf(() => compile('permit(principal, action, resource);\nforbid(principal, action, resource) when { resource.nam == "x" };'))).toMatchObject({ line: 2, column: 44 });
  });

  it('does not check what a tool takes, and checks the rest of such a policy', () => {
    compile('forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.amount > 100 };');
    compile('forbid(principal, action, resource) when { context has arguments.a.b && context.arguments.a.b == "x" };');
    expect(problemOf(() => compile('forbid(principal, action == Gatehouse::Action::"call", resource) when { context.arguments.amount > 100 && resource.nam == "x" };'))['problem']).toMatch(/nam/);
  });

  it('refuses two policies by one name, names that are none, and too many', () => {
    const text = 'permit(principal, action, resource);';
    const all = (names: string[]) => compilePolicies({ epoch: 'e', version: 1, policies: names.map((name) => ({ name, text })) });
    expect(problemOf(() => all(['a', 'a']))['problem']).toMatch(/two policies/);
    expect(problemOf(() => all(['a b']))['problem']).toMatch(/letters/);
    expect(problemOf(() => all(Array.from({ length: 1_001 }, (_, i) => `p${i}`)))['problem']).toMatch(/limit is 1000/);
    expect(problemOf(() => compile(text.repeat(1_001)))['problem']).toMatch(/limit is 1000/);
  });
});

describe('a policy file', () => {
  const permit = 'permit(principal, action, resource);';

  it('is one policy by the name given when nothing in it has a name', () => {
    expect(parsePolicyDocument(`// why\n${permit}\n${permit} // and this\n`, 'file')).toEqual([{ name: 'file', text: `// why\n${permit}\n${permit} // and this\n` }]);
  });

  it('is taken apart by @id, comments staying where they belong', () => {
    const text = `// first\n@id("a")\n${permit} // of a\n\n// second; with "marks\n@id("b") ${permit}\n${permit}\n`;
    expect(parsePolicyDocument(text, 'rest')).toEqual([
      { name: 'a', text: `// first\n@id("a")\n${permit} // of a\n` },
      { name: 'b', text: `// second; with "marks\n@id("b") ${permit}\n` },
      { name: 'rest', text: `${permit}\n` },
    ]);
  });

  it('is not cut at semicolons in strings', () => {
    expect(parsePolicyDocument('permit(principal, action, resource) when { resource.name == "a;\\";b" };', 'one')).toHaveLength(1);
  });

  it('is refused with a name given twice, a name that is none, or nothing in it', () => {
    expect(problemOf(() => parsePolicyDocument(`@id("a") ${permit} @id("a") ${permit}`, 'f'))['problem']).toMatch(/two policies/);
    expect(problemOf(() => parsePolicyDocument(`@id("a") ${permit} ${permit}`, 'a'))['problem']).toMatch(/two policies/);
    expect(problemOf(() => parsePolicyDocument(`@id("a b") ${permit}`, 'f'))['problem']).toMatch(/not a name/);
    expect(problemOf(() => parsePolicyDocument('', 'f'))['problem']).toMatch(/no statement/);
    expect(problemOf(() => parsePolicyDocument(`${permit}\nforbid(`, 'f'))).toMatchObject({ line: 2 });
  });
});
