import { describe, expect, it } from '@jest/globals';
import { format, inspect } from 'node:util';
import { Secret } from './secret.js';

const TEXT = 'canary-secret-value';

describe('Secret', () => {
  it('shows itself nowhere', () => {
    const secret = Secret.fromText(TEXT);
    const holder = { secret, list: [secret] };
    const shown = [String(secret), `${secret}`, secret + '', JSON.stringify(holder), inspect(holder, { depth: 9, showHidden: true }), format('%s %o %j', secret, secret, secret), inspect(new Error('x', { cause: holder }))];
    for (const text of shown) expect(text).not.toContain('canary');
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
    expect(Object.keys(secret)).toEqual([]);
    expect(structuredClone({ ...secret })).toEqual({});
  });

  it('lends its bytes and nothing else', () => {
    const secret = Secret.fromText(TEXT);
    expect(secret.use((bytes) => bytes.toString())).toBe(TEXT);
    expect(secret.use((bytes) => bytes.length)).toBe(TEXT.length);
  });

  it('overwrites the very bytes it was given, and lends none after that', () => {
    const bytes = Buffer.from(TEXT);
    const secret = Secret.of(bytes);
    secret.wipe();
    expect(bytes).toEqual(Buffer.alloc(TEXT.length));
    expect(() => secret.use(String)).toThrow('secret was wiped');
  });
});
