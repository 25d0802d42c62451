import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse as parseLossless } from 'lossless-json';
import { isJsonObject, Refusal, type JsonValue } from '@gatehouse/kernel';
import { scanJson, type ScanLimits } from './scan-json.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

function verdict(bytes: Uint8Array, limits?: ScanLimits): string {
  try {
    scanJson(bytes, limits);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.code} ${String(error.details['reason'])}`;
  }
}

describe('scanJson', () => {
  it.each([
    ['{}'], ['[]'], ['""'], ['0'], ['-0'], ['-0.5e+10'], ['1E9'], ['true'], ['false'], ['null'],
    [' \t\r\n{ "a" : [ 1 , {"b":[]} ] } \n'], [String.raw`"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00"`],
    ['{"a":{"a":1},"b":{"a":1}}'], ['{"constructor":1,"prototype":2,"proto":3}'], ['"\u007f\u2028é😀"'],
  ])('accepts %s', (text) => {
    expect(verdict(bytesOf(text))).toBe('accepted');
  });

  it.each([
    [''], [' '], ['{'], ['}'], ['{]'], ['[}'], ['[1,]'], ['{"a":1,}'], ['{,}'], ['[1 2]'], ['{"a" 1}'], ['{a:1}'], ["{'a':1}"], ['{"a":1}{}'],
    ['01'], ['-'], ['+1'], ['.5'], ['1.'], ['1e'], ['1e+'], ['0x1'], ['NaN'], ['Infinity'], ['tru'], ['nulL'], ['undefined'],
    ['"'], ['"\\'], ['"\\x"'], ['"\\u12"'], ['"\\u12g4"'], ['// c\n1'], ['[1]/**/'], ['\u00a01'], ['\v1'],
  ])('refuses %j as no JSON', (text) => {
    expect(verdict(bytesOf(text))).toMatch(/^parse_error /);
  });

  it('refuses a byte order mark', () => {
    expect(verdict(bytesOf('\ufeff{}'))).toBe('parse_error syntax');
  });

  it('refuses bytes that are not UTF-8, UTF-16 included', () => {
    expect(verdict(Buffer.from([0x22, 0xff, 0x22]))).toBe('parse_error not_utf8');
    expect(verdict(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe('parse_error not_utf8');
    expect(verdict(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toBe('parse_error not_utf8');
    expect(verdict(Buffer.from('{"a":1}', 'utf16le'))).toMatch(/^parse_error/);
  });

  it('refuses every raw control character in a string and NUL anywhere', () => {
    for (let code = 0; code < 0x20; code++) {
      expect(verdict(Buffer.from([0x22, code, 0x22]))).toBe('parse_error control_character');
    }
    expect(verdict(Buffer.from([0x7b, 0, 0x7d]))).toBe('parse_error syntax');
  });

  it.each([
    [String.raw`"\ud800"`], [String.raw`"\udc00"`], [String.raw`"\ud800x"`], [String.raw`"\ud800\n"`], [String.raw`"\ud800\ud800"`],
    [String.raw`"\ud83d\u0041"`], [String.raw`"\ude00\ud83d"`], [String.raw`{"\uD800":1}`],
  ])('refuses half a surrogate pair in %s', (text) => {
    expect(verdict(bytesOf(text))).toBe('parse_error lone_surrogate');
  });

  it.each([
    ['{"a":1,"a":1}'], ['{"a":1,"b":2,"a":3}'], [String.raw`{"a":1,"\u0061":2}`], [String.raw`{"\u0061":1,"a":2}`],
    [String.raw`{"\u0061":1,"\u0061":2}`], ['{"":1,"":2}'], ['[{"x":{"é":1,"é":2}}]'], [String.raw`{"é":1,"\u00e9":2}`],
    [String.raw`{"😀":1,"\ud83d\ude00":2}`], [String.raw`{"a/b":1,"a\/b":2}`],
    [`{${Array.from({ length: 40 }, (_, index) => `"k${index}":1`).join(',')},"k3":2}`],
    [`{${Array.from({ length: 16 }, (_, index) => `"k${index}":1`).join(',')},"k15":2}`],
  ])('refuses a member twice in one object: %s', (text) => {
    expect(verdict(bytesOf(text))).toBe('ambiguous_json duplicate_member');
  });

  it('takes one name again after the inner object that had it was closed', () => {
    expect(verdict(bytesOf('{"a":{"x":1,"y":{"x":2}},"x":{"a":1},"y":[{"x":1},{"x":2}]}'))).toBe('accepted');
  });

  it.each([
    ['{"__proto__":{"admin":true}}'], ['[{"a":{"__proto__":1}}]'], [String.raw`{"\u005f_proto__":1}`],
    [`{${Array.from({ length: 20 }, (_, index) => `"k${index}":1`).join(',')},"__proto__":2}`],
  ])('refuses __proto__ anywhere: %s', (text) => {
    expect(verdict(bytesOf(text))).toBe('ambiguous_json proto_member');
  });

  it('accepts 64 levels and refuses 65, in arrays and in objects', () => {
    const arrays = (levels: number): Buffer => bytesOf('['.repeat(levels) + ']'.repeat(levels));
    const objects = (levels: number): Buffer => bytesOf(`${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`);
    expect(verdict(arrays(64))).toBe('accepted');
    expect(verdict(objects(64))).toBe('accepted');
    expect(verdict(arrays(65))).toBe('too_deep depth');
    expect(verdict(objects(65))).toBe('too_deep depth');
    expect(verdict(bytesOf('['.repeat(1_000_000)))).toBe('too_deep depth');
  });

  it('accepts 10,000 values and refuses one more', () => {
    const list = (values: number): Buffer => bytesOf(`[${Array.from({ length: values - 1 }, () => '0').join(',')}]`);
    expect(verdict(list(10_000))).toBe('accepted');
    expect(verdict(list(10_001))).toBe('too_deep nodes');
    expect(verdict(bytesOf('[1,2]'), { maxDepth: 64, maxNodes: 2 })).toBe('too_deep nodes');
    expect(verdict(bytesOf('[[]]'), { maxDepth: 1, maxNodes: 9 })).toBe('too_deep depth');
  });

  it('judges an object of thousands of members in far less than quadratic time', () => {
    const wide = (members: number): Buffer => bytesOf(`{${Array.from({ length: members }, (_, index) => `"member${index}":1`).join(',')}}`);
    const fastest = (members: number): number => {
      const bytes = wide(members);
      const runs = Array.from({ length: 7 }, () => {
        const started = performance.now();
        expect(verdict(bytes)).toBe('accepted');
        return performance.now() - started;
      });
      return Math.min(...runs);
    };
    // Eight times the members: about eight times the work, where comparing each with each would be sixty-four.
    expect(fastest(8_000) / fastest(1_000)).toBeLessThan(32);
  });

  it('starts afresh after a refusal', () => {
    expect(verdict(bytesOf('{"a":{"b":['))).toMatch(/^parse_error/);
    expect(verdict(bytesOf('{"a":1}'))).toBe('accepted');
  });
});

describe('scanJson against other parsers', () => {
  const canParse = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      // Not JSON: the answer this function is asked for.
      return false;
    }
  };

  // What JSON.parse accepts and the scanner must not: the documented extra rules.
  const extraRule = (text: string): boolean => {
    const escapes = text.replaceAll(/\\\\/g, '').replaceAll(/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/g, '');
    return /\\u[dD][89a-fA-F]/.test(escapes) || verdict(bytesOf(text)).startsWith('ambiguous_json');
  };

  const json = fc.json({ maxDepth: 6 });
  const mutated = fc
    .tuple(json, fc.nat(), fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', 'u', 'd', '\t', '\u0001', 'é', '\\ud800', '\\u0061', '__proto__'))
    .map(([text, at, insert]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + insert + text.slice(cut + (at % 2));
    })
    .filter((text) => !/\p{Surrogate}/u.test(text));

  it('agrees with JSON.parse on every document, apart from the extra rules', () => {
    fc.assert(
      fc.property(fc.oneof(json, mutated), (text) => {
        const accepted = verdict(bytesOf(text)) === 'accepted';
        expect(accepted).toBe(canParse(text) && !extraRule(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('agrees with lossless-json on every document that it accepts', () => {
    fc.assert(
      fc.property(fc.oneof(json, mutated), (text) => {
        if (verdict(bytesOf(text)) !== 'accepted') return;
        expect(() => parseLossless(text)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds a duplicate exactly when decoded names repeat', () => {
    const name = fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom('a', 'b', 'é', '"') });
    const spelled = fc.tuple(name, fc.boolean()).map(([text, escape]) => ({ text, quoted: escape ? escapeAll(text) : JSON.stringify(text) }));
    fc.assert(
      fc.property(fc.array(spelled, { maxLength: 24 }), (members) => {
        const text = `{${members.map(({ quoted }) => `${quoted}:0`).join(',')}}`;
        const unique = new Set(members.map(({ text: decoded }) => decoded)).size === members.length;
        expect(verdict(bytesOf(text))).toBe(unique ? 'accepted' : 'ambiguous_json duplicate_member');
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses or accepts arbitrary bytes, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(verdict(bytes)).toMatch(/^(accepted|parse_error|ambiguous_json)/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts depth as the parsed value has it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const levels = depthOf(value as JsonValue);
        const accepted = verdict(bytesOf(JSON.stringify(value)), { maxDepth: Math.max(levels, 1), maxNodes: 10_000 });
        expect(accepted).toMatch(/^(accepted|ambiguous_json)/);
        if (levels > 1) expect(verdict(bytesOf(JSON.stringify(value)), { maxDepth: levels - 1, maxNodes: 10_000 })).toMatch(/^(too_deep depth|ambiguous_json)/);
      }),
    );
  });
});

function escapeAll(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`);
  return `"${units.join('')}"`;
}

function depthOf(value: JsonValue): number {
  if (Array.isArray(value)) return 1 + Math.max(0, ...value.map(depthOf));
  return isJsonObject(value) ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}
