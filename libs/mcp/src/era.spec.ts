import { describe, expect, it } from '@jest/globals';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { eraOf, negotiateVersion, requireSessionEra, versionOfRequest } from './era.js';
import type { McpMessage } from './parse-message.js';

const request = (meta?: JsonObject): McpMessage => ({ kind: 'request', id: 1, method: 'tools/list', params: meta === undefined ? undefined : { _meta: meta } });
const claim = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

describe('eraOf', () => {
  it.each<[McpMessage, string | undefined, string]>([
    [request(), undefined, 'session'],
    [request(), '2025-11-25', 'session'],
    [request({ progressToken: 1 }), '2025-06-18', 'session'],
    [request(claim), '2026-07-28', 'stateless'],
    [request(claim), undefined, 'stateless'],
    [request({ 'io.modelcontextprotocol/protocolVersion': 5 }), undefined, 'stateless'],
    [request(), '2026-07-28', 'stateless'],
    [request(), '2027-01-01', 'stateless'],
    [request(), 'nonsense', 'session'],
    [{ kind: 'notification', method: 'notifications/x', params: undefined }, '2026-07-28', 'stateless'],
    [{ kind: 'response', id: 1, result: {} }, undefined, 'session'],
  ])('%j with header %s is %s', (message, header, era) => {
    expect(eraOf(message, header)).toBe(era);
  });
});

describe('requireSessionEra', () => {
  it('refuses a stateless request in the words that let a client fall back', () => {
    expect.assertions(2);
    try {
      requireSessionEra(request(claim), undefined);
    } catch (error) {
      expect((error as Refusal).code).toBe('unsupported_protocol_version');
      expect((error as Refusal).details).toEqual({ supported: ['2025-11-25', '2025-06-18', '2025-03-26'], requested: '2026-07-28' });
    }
    requireSessionEra(request(), '2025-11-25');
  });
});

describe('versions', () => {
  it('reads a missing header as the session has it, else as 2025-03-26', () => {
    expect(versionOfRequest(undefined)).toBe('2025-03-26');
    expect(versionOfRequest(undefined, '2025-11-25')).toBe('2025-11-25');
    expect(versionOfRequest('2025-06-18')).toBe('2025-06-18');
    expect(versionOfRequest('2025-03-26', '2025-11-25')).toBe('2025-11-25');
  });

  it.each(['2024-11-05', '2026-07-28', '', '2025-11-25 ', '2025-11-25, 2025-06-18'])('refuses the header %j', (header) => {
    expect(() => versionOfRequest(header, '2025-11-25')).toThrow(new Refusal('unsupported_protocol_version'));
  });

  it('negotiates the requested version or offers the newest', () => {
    expect(negotiateVersion('2025-03-26')).toBe('2025-03-26');
    expect(negotiateVersion('2024-11-05')).toBe('2025-11-25');
    expect(negotiateVersion('2026-07-28')).toBe('2025-11-25');
  });
});
