import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Refusal, type JsonValue } from '@gatehouse/kernel';
import { EnvelopeScanner, type Envelope } from './envelope-scanner.js';

function scan(input: string | Buffer, size = input.length): Envelope | string {
  const bytes = Buffer.from(input);
  const scanner = new EnvelopeScanner();
  try {
    for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
    return scanner.end();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe('upstream_invalid');
    return String(error.details['reason']);
  }
}

describe('EnvelopeScanner', () => {
  it.each<[string, Envelope]>([
    ['{"jsonrpc":"2.0","id":1,"result":{}}', { id: 1, result: true, error: false, method: false }],
    [' {"id" : "a\\u0062" , "result":{"id":9,"error":[{}]},"jsonrpc":"2.0"} \n', { id: 'ab', result: true, error: false, method: false }],
    ['{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}', { id: null, result: false, error: true, method: false }],
    ['{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}', { id: undefined, result: false, error: true, method: false }],
    ['{"jsonrpc":"2.0","id":-3,"method":"ping","params":{"a":"}"}}', { id: -3, result: false, error: false, method: true }],
    ['{"jsonrpc":"2.0","id":1,"result":{"t":"\\\\\\"}{"},"extra":[1,2],"more":true,"n":1.5e3}', { id: 1, result: true, error: false, method: false }],
    ['{"\\u006asonrpc":"2.0","\\u0069d":1,"result":{}}', { id: 1, result: true, error: false, method: false }],
  ])('reads the envelope of %s, wherever it is cut', (text, envelope) => {
    for (const size of [1, 2, 3, 7, 64]) expect(scan(text, size)).toEqual(envelope);
  });

  it.each([
    ['', 'truncated'],
    ['{', 'truncated'],
    ['{"jsonrpc":"2.0","id":1,"result":{}', 'truncated'],
    ['{"jsonrpc":"2.0","id":1,"result":{"a":"', 'truncated'],
    ['[]', 'syntax'],
    ['[{"jsonrpc":"2.0","id":1,"result":{}}]', 'syntax'],
    ['\ufeff{"jsonrpc":"2.0","id":1,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}{}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}x', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{]}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{}]', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{&}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":NaN,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":01,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1 2,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"result":{},}', 'syntax'],
    ['{"jsonrpc":"2.0" "id":1,"result":{}}', 'syntax'],
    ['{"jsonrpc" "2.0","id":1,"result":{}}', 'syntax'],
    ['{jsonrpc:"2.0","id":1,"result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":"\u0001","result":{}}', 'syntax'],
    ['{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"result":{}}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"resul\\u0074":{}}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"error":{},"error":{}}', 'duplicate_member'],
    ['{"jsonrpc":"2.0","id":1,"Result":{}}', 'look_alike_member'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 'result_or_error'],
    ['{"jsonrpc":"2.0","id":1}', 'result_or_error'],
    ['{"jsonrpc":"2.0","id":1,"method":"x","result":{}}', 'result_or_error'],
    ['{"id":1,"result":{}}', 'jsonrpc'],
    ['{"jsonrpc":"1.0","id":1,"result":{}}', 'jsonrpc'],
    ['{"jsonrpc":2.0,"id":1,"result":{}}', 'jsonrpc'],
    ['{"jsonrpc":"2.0","id":1.5,"result":{}}', 'id'],
    ['{"jsonrpc":"2.0","id":9007199254740993,"result":{}}', 'id'],
    ['{"jsonrpc":"2.0","id":{},"result":{}}', 'id'],
    [`{"jsonrpc":"2.0","id":"${'x'.repeat(2_000)}","result":{}}`, 'id'],
    ['{"jsonrpc":"2.0","id":1,"result":1}', 'result'],
    ['{"jsonrpc":"2.0","id":1,"result":"{}"}', 'result'],
    ['{"jsonrpc":"2.0","id":1,"result":[]}', 'result'],
    ['{"jsonrpc":"2.0","id":1,"error":null}', 'error'],
  ])('refuses %j: %s', (text, reason) => {
    for (const size of [1, 5, 4_096]) expect(scan(text, size)).toBe(reason);
  });

  it('refuses bytes that are not UTF-8, across cuts too', () => {
    const bytes = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"t":"é😀"}}');
    const broken = Buffer.from(bytes.filter((byte) => byte !== 0x9f));
    for (const size of [1, 2, 3, 5, 100]) {
      expect(scan(bytes, size)).toMatchObject({ id: 1 });
      expect(scan(broken, size)).toBe('not_utf8');
    }
    expect(scan(bytes.subarray(0, bytes.length - 5), 100)).toBe('not_utf8');
  });

  it('accepts 64 levels and refuses 65', () => {
    const nested = (levels: number): string => `{"jsonrpc":"2.0","id":1,"result":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
    expect(scan(nested(64))).toMatchObject({ id: 1 });
    expect(scan(nested(65))).toBe('too_deep');
  });

  it('passes long members that are not of the protocol', () => {
    expect(scan(`{"jsonrpc":"2.0","id":1,"x":"${'y'.repeat(5_000)}","${'z'.repeat(5_000)}":1,"result":{}}`, 100)).toMatchObject({ id: 1 });
  });

  it('accepts every answer that can be written, with its id', () => {
    const id = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(id, fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 1, max: 50 }), fc.boolean(), (anyId, result, size, pretty) => {
        const text = JSON.stringify({ jsonrpc: '2.0', id: anyId, result: result as JsonValue }, null, pretty ? 2 : 0);
        expect(scan(text, size)).toEqual({ id: Object.is(anyId, -0) ? 0 : anyId, result: true, error: false, method: false });
      }),
      { numRuns: 1_000 },
    );
  });
});
