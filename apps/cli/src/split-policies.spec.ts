import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitPolicies } from './split-policies.js';

const PERMIT = 'permit(principal, action, resource);';

describe('splitPolicies', () => {
  it('names a single policy by the file', () => {
    expect(splitPolicies(`${PERMIT}\n`, 'everyone')).toEqual([{ name: 'everyone', text: PERMIT }]);
  });

  it('names each policy by its @id, and keeps the comments before it', () => {
    const text = `// who may read\n@id("readers")\n${PERMIT}\n\n@id("writers") forbid(principal, action, resource);`;
    expect(splitPolicies(text, 'file')).toEqual([
      { name: 'readers', text: `// who may read\n@id("readers")\n${PERMIT}` },
      { name: 'writers', text: '@id("writers") forbid(principal, action, resource);' },
    ]);
  });

  it('does not split at semicolons in strings and comments', () => {
    const text = '@id("a") permit(principal, action, resource) when { context.x == "; // \\"; no" } // not; here\n;';
    expect(splitPolicies(text, 'file')).toEqual([{ name: 'a', text }]);
  });

  it('takes no name from a comment', () => {
    expect(splitPolicies(`// @id("wrong")\n${PERMIT}`, 'file')[0]?.name).toBe('file');
  });

  it('sends text without a semicolon as it is, so that the engine says what is wrong', () => {
    expect(splitPolicies('permit(', 'file')).toEqual([{ name: 'file', text: 'permit(' }]);
  });

  it('ignores comments after the last policy', () => {
    expect(splitPolicies(`${PERMIT}\n// the end`, 'file')).toHaveLength(1);
  });

  it.each([
    ['no policy', '// nothing\n', 'no policy in the file'],
    ['a policy without a name among several', `@id("a") ${PERMIT}\n${PERMIT}`, 'not all have a name'],
    ['a name twice', `@id("a") ${PERMIT}\n@id("a") ${PERMIT}`, 'two policies are called a'],
    ['a name that is none', `@id("../a") ${PERMIT}`, "cannot be a policy's name"],
  ])('refuses %s', (_, text, message) => {
    expect(() => splitPolicies(text, 'file')).toThrow(message);
  });

  it('gives back what was put together, whatever strings are inside', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (strings) => {
        const policies = strings.map((text, at) => `@id("p${at}") permit(principal, action, resource) when { context.x == ${JSON.stringify(text)} };`);
        expect(splitPolicies(policies.join('\n'), 'file').map(({ text }) => text)).toEqual(policies);
      }),
    );
  });
});
