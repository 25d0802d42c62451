import { describe, expect, it } from '@jest/globals';
import { Fault, Refusal } from '@gatehouse/kernel';
import { jsonRpcError, jsonRpcErrorBytes, readRpcError, refusedToolResult, urlElicitationRequired } from './json-rpc-error.js';

describe('jsonRpcError', () => {
  it('carries the code of the table, its sentence and the details', () => {
    expect(jsonRpcError(7, new Refusal('policy_denied', { policy: 'no-writes' }))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: 1030, message: 'No policy permits this.', data: { policy: 'no-writes', type: 'policy_denied' } },
    });
  });

  it('has a null id when the request had none that could be read', () => {
    expect(jsonRpcError(undefined, new Refusal('parse_error'))).toMatchObject({ id: null, error: { code: -32700 } });
    expect(jsonRpcError(null, new Refusal('parse_error'))).toMatchObject({ id: null });
    expect(jsonRpcError(0, new Refusal('parse_error'))).toMatchObject({ id: 0 });
    expect(jsonRpcError('', new Refusal('parse_error'))).toMatchObject({ id: '' });
  });

  it('does not let details pose as another code', () => {
    expect(jsonRpcError(1, new Refusal('policy_denied', { type: 'internal' }))).toMatchObject({ error: { data: { type: 'policy_denied' } } });
  });

  it('tells of a fault only its id', () => {
    const fault = new Fault('connection string postgres://u:p@h', { cause: new Error('secret') });
    const text = jsonRpcErrorBytes('a', fault).toString('utf8');
    expect(JSON.parse(text)).toMatchObject({ id: 'a', error: { code: -32603, data: { type: 'internal', faultId: fault.id } } });
    expect(text).not.toMatch(/postgres|secret/);
  });
});

describe('refusedToolResult', () => {
  it('is a tool result that names the reason to the model and to programs', () => {
    expect(refusedToolResult('a', new Refusal('policy_denied', { reason: 'forbidden by no-writes' }))).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      result: {
        content: [{ type: 'text', text: 'No policy permits this. (policy_denied: forbidden by no-writes)' }],
        isError: true,
        _meta: { 'io.gatehouse/refusal': { reason: 'forbidden by no-writes', code: 'policy_denied' } },
      },
    });
    expect(refusedToolResult(1, new Refusal('server_stopped'))).toMatchObject({ result: { content: [{ text: 'This server is stopped. (server_stopped)' }] } });
  });
});

describe('what to do next', () => {
  const refusal = new Refusal('identity_missing', { advice: 'Connect it here: https://gatehouse.test/connect/x' });
  const told = 'This server needs an account of yours: connect it, then try again. Connect it here: https://gatehouse.test/connect/x';

  it('stands where people read it: in the message of an error, in the text of a result', () => {
    expect(jsonRpcError(1, refusal)).toMatchObject({ error: { code: 1052, message: told } });
    expect(refusedToolResult(1, refusal)).toMatchObject({ result: { content: [{ text: `${told} (identity_missing)` }] } });
  });

  it('is a page to open for clients that open pages (2025-11-25, URL elicitation required)', () => {
    const page = { elicitationId: 'x', url: 'https://gatehouse.test/connect/x', message: 'Connect it.' };
    expect(urlElicitationRequired('a', refusal, page)).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      error: { code: -32042, message: expect.any(String), data: { elicitations: [{ mode: 'url', ...page }], type: 'identity_missing' } },
    });
  });
});

describe('readRpcError', () => {
  it('reads the error of a failed answer, with a null id too', () => {
    expect(readRpcError({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Session required' } })).toEqual({ id: undefined, code: -32000, message: 'Session required' });
    expect(readRpcError({ id: 4, error: { code: -32601, message: 'x' } })).toEqual({ id: 4, code: -32601, message: 'x' });
  });

  it.each([undefined, null, 'x', {}, { error: 'x' }, { error: { code: '1', message: 'x' } }, { error: { code: 1 } }])('finds none in %j', (body) => {
    expect(readRpcError(body)).toBeUndefined();
  });
});
