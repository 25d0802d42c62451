import { identityContracts, vaultContracts } from '@gatehouse/contracts';
import { makeProof, type OauthUpstream, type OauthUpstreamOptions } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { ConnectStage } from './connect-stage.conformance.js';

const HOUR_MS = 3_600_000;

let stage: ConnectStage;

beforeAll(async () => {
  stage = await ConnectStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const held = (identityId: string | null): { line: string; key: string | undefined } => {
  const fields = new Map(stage.lines(identityId));
  return { line: fields.get('Authorization')!, key: fields.get(vaultContracts.DPOP_KEY_FIELD) };
};
/** Whether the server takes the credential with a proof made by its key. */
const isTaken = async ({ url }: OauthUpstream, identityId: string | null): Promise<boolean> => {
  const { line, key } = held(identityId);
  const dpop = await makeProof({ key: key!, method: 'POST', url, token: line.slice('DPoP '.length) });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } });
  return (await fetch(url, { method: 'POST', headers: { authorization: line, dpop }, body })).ok;
};
const refreshed = async (zoo: OauthUpstream, identityId: string | null): Promise<unknown> => {
  zoo.expireAccessTokens();
  stage.auth.clock.advance(HOUR_MS);
  return stage.auth.gateway.request(identityContracts.refreshIdentity, { identityId: identityId!, version: 0, cause: 'expired', challenge: null });
};
const proofs = (zoo: OauthUpstream): (string | undefined)[] => zoo.requests('/token').map(({ headers }) => headers['dpop'] as string | undefined);

describe('tokens that are bound to a key', () => {
  const ways: [string, OauthUpstreamOptions][] = [
    ['are got where server and authorization server offer them', { dpop: 'offered' }],
    ['are got where nothing else is taken', { dpop: 'required' }],
    ['are got where only the server says so, and insists', { dpop: 'required', metadataMembers: { dpop_signing_alg_values_supported: undefined } }],
    ['are got with the nonce that the authorization server wants', { dpop: 'required', dpopNonce: 'everywhere' }],
  ];

  it.each(ways)('%s, and renewed with the same key', async (_name, behaviour) => {
    const { zoo, identityId } = await stage.connected({ prm: 'path', ...behaviour });
    zoo.set({ dpopNonce: 'nowhere' });
    const first = held(identityId);
    expect(first.line).toMatch(/^DPoP \S+$/);
    expect(await isTaken(zoo, identityId)).toBe(true);
    zoo.set(behaviour);
    expect(await refreshed(zoo, identityId)).toEqual({ outcome: 'fresh', reason: null });
    zoo.set({ dpopNonce: 'nowhere' });
    const second = held(identityId);
    expect([second.line !== first.line, second.key]).toEqual([true, first.key]);
    expect(await isTaken(zoo, identityId)).toBe(true);
  });

  it('have a key for each account', async () => {
    const { upstream, identityId } = await stage.connected({ prm: 'path', dpop: 'required' });
    const { id: personId, browser } = await stage.person('Bob');
    const { id, url } = await stage.link(personId, upstream);
    await stage.press(browser, url);
    const other = held((await stage.state(id, personId)).identityId);
    expect(other.key).toEqual(expect.any(String));
    expect(other.key).not.toBe(held(identityId).key);
  });

  it('are not asked for where the server never spoke of them, whatever its authorization server can', async () => {
    const { zoo, identityId } = await stage.connected({ prm: 'path', metadataMembers: { dpop_signing_alg_values_supported: ['ES256'] } });
    expect(held(identityId)).toEqual({ line: expect.stringMatching(/^Bearer /), key: undefined });
    expect(proofs(zoo)).toEqual([undefined]);
  });

  it('are not asked for with other signatures than ours', async () => {
    const { zoo } = await stage.connected({ prm: 'path', dpop: 'offered', metadataMembers: { dpop_signing_alg_values_supported: ['RS256'] } });
    expect(proofs(zoo)).toEqual([undefined]);
  });

  it('may turn out to be bearer tokens: then no key is kept', async () => {
    const { zoo, identityId } = await stage.connected({ prm: 'path', dpop: 'answered-bearer' });
    expect(held(identityId)).toEqual({ line: expect.stringMatching(/^Bearer /), key: undefined });
    expect(proofs(zoo).map((proof) => decodeProtectedHeader(proof!).typ)).toEqual(['dpop+jwt']);
    expect(await refreshed(zoo, identityId)).toEqual({ outcome: 'fresh', reason: null });
    expect(proofs(zoo).at(-1)).toBeUndefined();
  });

  it('and their keys are in no table, no log and no message in the clear', async () => {
    const { zoo, identityId } = await stage.connected({ prm: 'path', dpop: 'required' });
    const rows = await Promise.all(['identities', 'upstream_oauth', 'upstream_clients', 'outbox'].map((table) => stage.auth.db.query(`SELECT * FROM ${table}`)));
    const kept = JSON.stringify(rows) + stage.auth.logLines.join('\n') + stage.auth.neighbours.heard.join('\n');
    for (const secret of [...zoo.secrets(), held(identityId).key!]) expect(kept).not.toContain(secret);
  });
});
