import { describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { Fault, Refusal } from '@gatehouse/kernel';
import { failureOfProbe } from './failure-class.js';

describe('failureOfProbe', () => {
  it.each([
    [new Refusal('upstream_unreachable', { reason: 'dns' }), 'dns'],
    [new Refusal('upstream_unreachable', { reason: 'timeout' }), 'timeout'],
    [new Refusal('upstream_unreachable', { reason: 'refused' }), 'refused'],
    [new Refusal('upstream_unreachable', { reason: 'no_route' }), 'refused'],
    [new Refusal('upstream_unreachable', { reason: 'reset' }), 'refused'],
    [new Refusal('upstream_unreachable', { reason: 'tls_expired' }), 'tls_expired'],
    [new Refusal('upstream_unreachable', { reason: 'tls_not_yet_valid' }), 'tls_not_yet_valid'],
    [new Refusal('upstream_unreachable', { reason: 'tls_wrong_host' }), 'tls_wrong_host'],
    [new Refusal('upstream_unreachable', { reason: 'tls_unknown_authority' }), 'tls_unknown_authority'],
    [new Refusal('upstream_unreachable', { reason: 'tls_self_signed' }), 'tls_self_signed'],
    [new Refusal('upstream_unreachable', { reason: 'tls_broken_chain' }), 'tls_broken_chain'],
    [new Refusal('upstream_unreachable', { reason: 'tls_protocol' }), 'tls_protocol'],
    [new Refusal('upstream_timeout', { reason: 'headers' }), 'timeout'],
    [new Refusal('url_refused', { reason: 'private_address' }), 'url_refused'],
    [new Refusal('vault_unavailable'), 'credential'],
    [new Refusal('credential_missing'), 'credential'],
    [new Refusal('credential_unbound'), 'credential'],
    [new Refusal('upstream_refused', { status: 401 }), 'unauthenticated'],
    [new Refusal('upstream_refused', { status: 403 }), 'unauthenticated'],
    [new Refusal('upstream_refused', { status: 404 }), 'not_mcp'],
    [new Refusal('upstream_refused', { status: 405 }), 'not_mcp'],
    [new Refusal('upstream_refused', { status: 500 }), 'upstream_error'],
    [new Refusal('upstream_refused', { rpcCode: -32603 }), 'upstream_error'],
    [new Refusal('upstream_invalid', { reason: 'content_type' }), 'not_mcp'],
    [new Refusal('upstream_invalid', { reason: 'protocol_version' }), 'protocol'],
    [new Refusal('upstream_too_large'), 'protocol'],
    [new Fault('a bug of ours'), 'upstream_error'],
    [new TypeError('a bug of ours'), 'upstream_error'],
    ['not even an error', 'upstream_error'],
  ])('%s is %s', (error, failure) => {
    const said = failureOfProbe(error);
    expect(said.failure).toBe(failure);
    expect(serverContracts.failureClass.safeParse(said.failure).success).toBe(true);
  });

  it.each(serverContracts.failureClass.options.filter((each) => each.startsWith('tls_')))('says with %s how it is put right', (reason) => {
    const { failure, detail } = failureOfProbe(new Refusal('upstream_unreachable', { reason }));
    expect([failure, detail]).toEqual([reason, expect.stringMatching(/^[A-Z][^.]+: [^.]+\.$/)]);
  });

  it('says one sentence, and nothing of what the upstream said', () => {
    const { detail } = failureOfProbe(new Refusal('upstream_refused', { status: 500, said: 'http://10.0.0.7/secret' }));
    expect(detail).toMatch(/^[A-Z][^.]+\.$/);
    expect(detail).not.toContain('10.0.0.7');
  });
});
