import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { parseBody, parseServerEnvelope, parseServerMessage, readId } from './parse-message.js';

const body = (value: JsonValue): Buffer => Buffer.from(JSON.stringify(value));
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'é' } } };

function refusal(read: () => unknown): string {
  try {
    read();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.code} ${String(error.details['reason'])}`;
  }
}

describe('parseBody', () => {
  it('reads a request, a notification and both kinds of response', () => {
    expect(parseBody(body(call))).toEqual({ kind: 'request', id: 1, method: 'tools/call', params: call.params });
    expect(parseBody(body({ jsonrpc: '2.0', method: 'notifications/initialized' }))).toEqual({
      kind: 'notification',
      method: 'notifications/initialized',
      params: undefined,
    });
    expect(parseBody(body({ jsonrpc: '2.0', id: 'a', result: {} }))).toEqual({ kind: 'response', id: 'a', result: {} });
    const error = { code: -1, message: 'no' };
    expect(parseBody(body({ jsonrpc: '2.0', id: 'a', error }))).toEqual({ kind: 'response', id: 'a', error });
  });

  it('reads a batch of up to 64 messages', () => {
    const messages = Array.from({ length: 64 }, (_, id) => ({ ...call, id }));
    expect(parseBody(body(messages))).toHaveLength(64);
    expect(refusal(() => parseBody(body([...messages, { ...call, id: 64 }])))).toBe('bad_request batch_too_long');
    expect(refusal(() => parseBody(body([])))).toBe('bad_request empty_batch');
    expect(refusal(() => parseBody(body([call, call])))).toBe('bad_request duplicate_id');
    expect(refusal(() => parseBody(body([[call]])))).toBe('bad_request not_an_object');
  });

  it.each<[string, JsonValue, string]>([
    ['a bare value', 1, 'not_an_object'],
    ['no jsonrpc member', { id: 1, method: 'ping' }, 'jsonrpc'],
    ['another version', { ...call, jsonrpc: '1.0' }, 'jsonrpc'],
    ['a null id', { ...call, id: null }, 'id'],
    ['a fractional id', { ...call, id: 1.5 }, 'id'],
    ['an object id', { ...call, id: {} }, 'id'],
    ['a method that is no string', { ...call, method: 1 }, 'method'],
    ['a null method', { ...call, method: null }, 'method'],
    ['an empty method', { ...call, method: '' }, 'method'],
    ['params as array', { ...call, params: [] }, 'params'],
    ['params as null', { ...call, params: null }, 'params'],
    ['a request that is a response too', { ...call, result: {} }, 'request_and_response'],
    ['neither method nor result', { jsonrpc: '2.0', id: 1 }, 'result_or_error'],
    ['result and error', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'x' } }, 'result_or_error'],
    ['a response without id', { jsonrpc: '2.0', result: {} }, 'id'],
    ['a response with params', { jsonrpc: '2.0', id: 1, result: {}, params: {} }, 'params'],
    ['an error that is none', { jsonrpc: '2.0', id: 1, error: { code: 'x' } }, 'error'],
  ])('refuses %s', (_, value, reason) => {
    expect(refusal(() => parseBody(body(value)))).toBe(`bad_request ${reason}`);
  });

  it.each(['9007199254740993', '-9007199254740993', '1e400', '1e16'])('refuses the id %s, which two parsers could round differently', (id) => {
    expect(refusal(() => parseBody(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)))).toBe('bad_request id');
  });

  it.each<[string, JsonObject]>([
    ['Method', { ...call, Method: 'x' }],
    ['METHOD alone', { jsonrpc: '2.0', id: 1, METHOD: 'tools/call' }],
    ['paramſ', { ...call, paramſ: {} }],
    ['fullwidth id', { ...call, 'ｉd': 2 }],
    ['id with zero width joiner', { ...call, 'id\u200d': 2 }],
    ['dotless ı in ıd', { ...call, 'ıd': 2 }],
    ['params.Name', { ...call, params: { name: 'a', Name: 'b' } }],
    ['params.argumentſ', { ...call, params: { name: 'a', argumentſ: {} } }],
    ['params.URI', { ...call, params: { URI: 'file:///' } }],
    ['params._Meta', { ...call, params: { _Meta: {} } }],
    ['params.RequestState', { ...call, params: { RequestState: '' } }],
    ['params._meta.ProgressToken', { ...call, params: { _meta: { ProgressToken: 1 } } }],
    ['params.ref.Type', { ...call, params: { ref: { Type: 'ref/prompt' } } }],
  ])('refuses %s, which folds to a protocol name', (_, value) => {
    expect(refusal(() => parseBody(body(value)))).toBe('ambiguous_json look_alike_member');
    expect(refusal(() => parseBody(body([value])))).toBe('ambiguous_json look_alike_member');
  });

  it('leaves the names of tool arguments and unknown members alone', () => {
    expect(refusal(() => parseBody(body({ ...call, vendor: 1, params: { name: 'a', vendor: 1, arguments: { Name: 1, METHOD: 2, naïve: 3 } } })))).toBe('accepted');
  });

  it('refuses what the scanner refuses', () => {
    expect(refusal(() => parseBody(Buffer.from('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}')))).toBe('ambiguous_json duplicate_member');
    expect(refusal(() => parseBody(Buffer.from('')))).toMatch(/^parse_error/);
  });

  it('reads back every request that can be written', () => {
    const id = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger());
    const params = fc.dictionary(fc.constantFrom('name', 'uri', 'x', 'arguments'), fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('__proto__')), { noNullPrototype: true });
    fc.assert(
      fc.property(id, fc.string({ minLength: 1, unit: 'grapheme' }), params, (anyId, method, anyParams) => {
        const bytes = body({ jsonrpc: '2.0', id: anyId, method, params: anyParams as JsonObject });
        const read = parseBody(bytes);
        expect(JSON.stringify({ ...read, kind: undefined })).toBe(JSON.stringify({ id: anyId, method, params: anyParams }));
        expect(readId(bytes)).toBe(Object.is(anyId, -0) ? 0 : anyId);
      }),
    );
  });
});

describe('readId', () => {
  it('reads the id of a message that was refused for something else', () => {
    expect(readId(body({ id: 7, method: 1 }))).toBe(7);
    expect(readId(body({ jsonrpc: '2.0', id: 'a', result: {}, error: {} }))).toBe('a');
  });

  it('gives nothing when the id is absent, invalid or in doubt', () => {
    expect(readId(body([call]))).toBeUndefined();
    expect(readId(body({ id: null }))).toBeUndefined();
    expect(readId(Buffer.from('{"id":1,"id":2}'))).toBeUndefined();
    expect(readId(Buffer.from('{"id":1'))).toBeUndefined();
  });
});

describe('parseServerMessage', () => {
  it('reads what a server sent', () => {
    expect(parseServerMessage(body({ jsonrpc: '2.0', id: 1, result: { tools: [] } }))).toMatchObject({ kind: 'response', id: 1 });
  });

  it.each(['', '[]', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}', '{"jsonrpc":"2.0","id":1,"id":1,"result":{}}', '{"jsonrpc":"2.0","id":NaN,"result":{}}'])(
    'says that the server is at fault for %j',
    (text) => {
      expect(refusal(() => parseServerMessage(Buffer.from(text)))).toMatch(/^upstream_invalid /);
    },
  );
});

describe('parseServerEnvelope', () => {
  const said = (read: (bytes: Buffer) => unknown, bytes: Buffer): unknown => {
    try {
      return read(bytes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return `${error.code} ${String(error.details['reason'])}`;
    }
  };
  /** What the whole reading says, with the result as the envelope shows it. */
  const expected = (bytes: Buffer): unknown => {
    const whole = said(parseServerMessage, bytes);
    if (!isJsonObject(whole) || !isJsonObject(whole['result'])) return whole;
    return { ...whole, result: whole['result']['isError'] === true ? { isError: true } : {} };
  };
  const sameOrWhole = (bytes: Buffer): void => {
    const envelope = said(parseServerEnvelope, bytes);
    expect([expected(bytes), said(parseServerMessage, bytes)]).toContainEqual(envelope);
    if (!bytes.includes('\\')) expect(envelope).toEqual(expected(bytes));
  };

  it.each([
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    '{"result":{"isError":true,"content":[{"isError":false}]},"jsonrpc":"2.0","id":"a"}',
    ' { "jsonrpc" : "2.0" , "result" : { "content" : [ { "result" : { "isError" : true } } ] , "isError" : false } , "id" : 1 } ',
    '{"jsonrpc":"2.0","id":1,"result":{"a":{"isError":true}}}',
    '{"jsonrpc":"2.0","id":1,"result":{"isError": true }}',
    '{"jsonrpc":"2.0","id":1,"result":{"isError":"true"}}',
    '{"jsonrpc":"2.0","id":1,"result":{"text":"é€😀"},"x":"é"}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","data":{"result":{"isError":true}}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"result":{"isError":true}}}',
  ])('reads %s as the whole, but for the result', (text) => {
    expect(said(parseServerEnvelope, Buffer.from(text))).toEqual(expected(Buffer.from(text)));
  });

  it.each([
    String.raw`{"jsonrpc":"2.0","id":1,"result":{"is\u0045rror":true}}`,
    String.raw`{"jsonrpc":"2.0","id":1,"r\u0065sult":{"isError":true}}`,
  ])('parses the whole of %s, whose names are written with escapes', (text) => {
    expect(parseServerEnvelope(Buffer.from(text))).toEqual(parseServerMessage(Buffer.from(text)));
  });

  it.each([
    '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{"isError":tru}}',
    '{"jsonrpc":"2.0","id":null,"result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{}',
    '{"jsonrpc":"2.0","id":1,"result":[]}{}',
    '[{"jsonrpc":"2.0","id":1,"result":{"isError":true}}]',
  ])('refuses %s as the whole reading does', (text) => {
    expect(said(parseServerEnvelope, Buffer.from(text))).toBe(said(parseServerMessage, Buffer.from(text)));
    expect(said(parseServerEnvelope, Buffer.from(text))).toMatch(/^upstream_invalid /);
  });

  it('agrees with the whole reading on any message', () => {
    const name = fc.constantFrom('jsonrpc', 'id', 'result', 'error', 'method', 'params', 'isError', 'Result', 'x', 'é');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.constantFrom('2.0', 1, true, false, null, 'a"\\é'), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true })),
    }));
    const answer = fc.record({ jsonrpc: fc.constant('2.0'), id: fc.constantFrom(1, 'a', null), result: value, x: value, error: value }, { requiredKeys: ['jsonrpc', 'id', 'result'] });
    fc.assert(fc.property(fc.oneof(answer, value), fc.constantFrom(0, 2), (any, space) => sameOrWhole(Buffer.from(JSON.stringify(any, undefined, space)))), { numRuns: 2_000 });
  });
});
