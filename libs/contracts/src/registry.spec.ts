import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '@gatehouse/kernel';
import type { ServiceName } from './define.js';
import { EVENTS, REQUESTS } from './registry.js';

const requests = REQUESTS.map((contract) => [contract.subject, contract] as const);
const events = EVENTS.map((contract) => [contract.subject, contract] as const);
/** Whom each may ask: no ring, so that no two services wait for each other. */
const MAY_ASK: Readonly<Record<ServiceName, readonly ServiceName[]>> = {
  gateway: ['auth', 'vault', 'policy', 'audit'],
  auth: ['vault', 'policy'],
  policy: ['vault'],
  audit: ['vault'],
  vault: [],
};

describe('the contracts', () => {
  it('have a subject each, of their own', () => {
    const subjects = [...requests, ...events].map(([subject]) => subject);
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(REQUESTS.length * EVENTS.length).toBeGreaterThan(0);
  });

  it.each(requests)('%s is named by its owner, has callers that may ask, known errors and a bound', (subject, { owner, callers, errors, timeoutMs }) => {
    expect(subject).toMatch(new RegExp(`^rpc\\.v1\\.${owner}\\.[a-z-]+\\.[a-z-]+$`));
    expect(callers.length).toBeGreaterThan(0);
    for (const caller of callers) expect(MAY_ASK[caller]).toContain(owner);
    for (const code of errors) expect(ERRORS).toHaveProperty(code);
    expect(timeoutMs > 0 && timeoutMs <= 30_000).toBe(true);
  });

  it.each(requests)('%s refuses members nobody declared', (_subject, { request }) => {
    const { error } = request.safeParse({ somethingElse: true });
    expect(error?.issues.some(({ code }) => code === 'unrecognized_keys')).toBe(true);
  });

  it.each(events)('%s is named by who tells it, and somebody listens', (subject, { owner, consumers, payload }) => {
    expect(subject).toMatch(/^evt\.v1\.(auth|vault|policy|audit|edge)\.[a-z-]+\.[a-z]+$/);
    expect(subject.split('.')[2]).toBe(owner === 'gateway' ? 'edge' : owner);
    expect(consumers.length).toBeGreaterThan(0);
    expect(payload.safeParse({ somethingElse: true }).error?.issues.some(({ code }) => code === 'unrecognized_keys')).toBe(true);
  });

  it('let nobody but the gateway lease a credential, and nobody but its owner a signing key', () => {
    const callersOf = (verb: string) => REQUESTS.find(({ subject }) => subject === `rpc.v1.vault.${verb}`)?.callers;
    expect(callersOf('credential.lease')).toEqual(['gateway']);
    expect(callersOf('session-key.lease')).toEqual(['gateway']);
    expect(callersOf('call-signing-key.lease')).toEqual(['gateway']);
    expect(callersOf('policy-signing-key.lease')).toEqual(['policy']);
    expect(callersOf('directory-signing-key.lease')).toEqual(['auth']);
  });
});
