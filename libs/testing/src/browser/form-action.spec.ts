import { describe, expect, it } from '@jest/globals';
import { allowsFormAction } from './form-action.js';

const PAGE = new URL('https://gate.example/consent');

describe('form-action', () => {
  it.each([
    [undefined, 'https://claude.ai/cb', true],
    ["default-src 'none'", 'https://claude.ai/cb', true],
    ["default-src 'none'; form-action 'self'", 'https://gate.example/x', true],
    ["form-action 'self'", 'https://gate.example:8443/x', false],
    ["form-action 'self'", 'https://claude.ai/cb', false],
    ["form-action 'none'", 'https://gate.example/x', false],
    ["form-action 'self' https:", 'https://claude.ai/cb', true],
    ["form-action 'self' https://claude.ai", 'https://claude.ai/cb', true],
    ["form-action 'self' http://localhost:*", 'http://localhost:5176/callback', true],
    ["form-action 'self' http://localhost:*", 'http://127.0.0.1:5176/callback', false],
    ["form-action *.claude.ai", 'https://www.claude.ai/', true],
    ["form-action *", 'cursor://anysphere/cb', false],
    ["form-action cursor:", 'cursor://anysphere/cb', true],
    ["form-action *, form-action 'self'", 'https://claude.ai/cb', false],
  ])('%s to %s: %s', (policy, target, allowed) => {
    expect(allowsFormAction(policy, PAGE, new URL(target))).toBe(allowed);
  });
});
