import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { plainLine, plainText } from './plain-text.js';
import { toJson, toYaml } from './print.js';
import { table } from './table.js';

// eslint-disable-next-line no-control-regex -- what must never come out is looked for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('text of others on a terminal', () => {
  it.each([
    ['an escape sequence', '\u001b[2Jcleared', '\\u001b[2Jcleared'],
    ['a one-byte CSI', '\u009b31mred', '\\u009b31mred'],
    ['a title change', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
    ['a right-to-left override', 'a\u202eb', 'a\\u202eb'],
    ['a carriage return that overwrites the line', 'deny\rallow', 'deny\\u000dallow'],
    ['invisible tag characters', 'a\u{e0041}', 'a\\udb40\\udc41'],
  ])('shows %s instead of obeying it', (_, text, shown) => {
    expect(plainText(text)).toBe(shown);
  });

  it('keeps line breaks and tabs of longer text, and makes one line of a cell', () => {
    expect(plainText('a\r\nb\tc')).toBe('a\nb\tc');
    expect(plainLine(' a\r\nb\tc ')).toBe('a b c');
  });

  it('cannot add a row or an escape to a table', () => {
    const rows = [{ text: 'good\n\u001b[1Aevil  allow' }];
    expect(table({ text: (row) => row.text }, rows)).toBe('TEXT\ngood \\u001b[1Aevil allow\n');
  });

  it('is the same value after JSON and YAML, with nothing in between that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [json, yaml] = [toJson({ text }), toYaml({ text })];
        expect([json, yaml].filter((printed) => OBEYED.test(printed))).toEqual([]);
        expect(JSON.parse(json)).toEqual({ text });
        expect(parse(yaml)).toEqual({ text });
      }),
    );
  });
});
