import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { canonicalJson } from './canonical-json.js';
import { filterList, fingerprint } from './list-filter.js';

describe('filterList', () => {
  it('removes what is not allowed and keeps order, unknown members and the cursor', () => {
    const result: JsonObject = {
      tools: [{ name: 'c', vendor: { x: [1] } }, { name: 'a' }, { name: 'b', title: 'B' }],
      nextCursor: 'n',
      vendor: true,
    };
    expect(filterList(result, 'tools', (name) => name !== 'a')).toEqual({
      tools: [{ name: 'c', vendor: { x: [1] } }, { name: 'b', title: 'B' }],
      nextCursor: 'n',
      vendor: true,
    });
    expect(result['tools']).toHaveLength(3);
  });

  it('returns the same object when everything is allowed', () => {
    const result = { tools: [{ name: 'a' }] };
    expect(filterList(result, 'tools', () => true)).toBe(result);
  });

  it('judges prompts by name, resources by uri, templates by uriTemplate', () => {
    const judged: string[] = [];
    const note = (target: string): boolean => judged.push(target) > 0;
    filterList({ prompts: [{ name: 'p' }] }, 'prompts', note);
    filterList({ resources: [{ name: 'n', uri: 'note://r' }] }, 'resources', note);
    filterList({ resourceTemplates: [{ name: 'n', uriTemplate: 'note://{t}' }] }, 'resourceTemplates', note);
    expect(judged).toEqual(['p', 'note://r', 'note://{t}']);
  });

  it('removes items without a name, and a second tool of the same name', () => {
    const tools: JsonValue[] = [null, 1, 'a', [], {}, { name: 1 }, { name: '' }, { name: 'a', v: 1 }, { name: 'a', v: 2 }];
    expect(filterList({ tools }, 'tools', () => true)).toEqual({ tools: [{ name: 'a', v: 1 }] });
  });

  it.each<JsonObject>([{}, { tools: null }, { tools: {} }, { tools: 'a' }])('refuses %j, which holds no list', (result) => {
    expect(() => filterList(result, 'tools', () => true)).toThrow(new Refusal('upstream_invalid'));
  });

  it('never shows what the predicate denies', () => {
    const item = fc.oneof(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd') }, { noNullPrototype: true }), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(item), fc.subarray(['a', 'b', 'c', 'd']), (tools, allowed) => {
        const shown = filterList({ tools: tools as JsonValue[] }, 'tools', (name) => allowed.includes(name))['tools'] as { name: string }[];
        expect(shown.every(({ name }) => allowed.includes(name))).toBe(true);
      }),
    );
  });
});

describe('fingerprint', () => {
  const tool = { name: 'echo', description: 'Says it again', inputSchema: { type: 'object', properties: { text: { type: 'string' } } }, annotations: { readOnlyHint: true } };

  it('is this for this definition, in every release', () => {
    expect(fingerprint(tool)).toBe('b85836af5263d00209f0da19f57fb2a6d6e468ae94db6fa4d17e92384f2ca6f5');
  });

  it('ignores the order of members and sees every other change', () => {
    const { name, ...rest } = tool;
    expect(fingerprint({ ...rest, name })).toBe(fingerprint(tool));
    const changed: JsonObject[] = [
      { ...tool, description: 'Says it again ' },
      { ...tool, title: 'Echo' },
      { ...tool, annotations: { readOnlyHint: false } },
      { ...tool, inputSchema: { ...tool.inputSchema, required: ['text'] } },
      { ...tool, vendor: 1 },
    ];
    expect(new Set([tool, ...changed].map((each) => fingerprint(each))).size).toBe(changed.length + 1);
  });
});

describe('canonicalJson', () => {
  it('writes the example of RFC 8785 section 3.2.2', () => {
    const text = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts names by UTF-16 code units, as RFC 8785 section 3.2.3 has it', () => {
    const sorted = ['\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33'];
    const value = Object.fromEntries([...sorted].reverse().map((name) => [name, 0]));
    expect(canonicalJson(value)).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`);
  });

  it('says the same as JSON.stringify, members aside', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(JSON.parse(canonicalJson(value as JsonValue))).toEqual(JSON.parse(JSON.stringify(value)))));
  });
});
