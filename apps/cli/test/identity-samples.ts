import type { identityContracts, serverContracts, upstreamContracts } from '@gatehouse/contracts';
import { sampleServer } from './samples.js';

/** An account at a server, with what the test wants different. */
export function sampleIdentity(over: Partial<identityContracts.Identity> = {}): identityContracts.Identity {
  return {
    ...{ id: 'idn_01990000-0000-7000-8000-000000000007', server: 'github', serverId: 'srv_01990000-0000-7000-8000-000000000001', owner: 'per_01990000-0000-7000-8000-000000000002', ownerName: 'Ada' },
    ...{ name: 'work', method: 'oauth', grant: 'authorization_code', status: 'active', reason: null, preferred: false, origin: 'https://api.github.test', scopes: ['repo'], expiresAt: null },
    ...{ isRefreshable: true, secrets: [], createdAt: 1_750_000_000_000, refreshedAt: null },
    ...over,
  };
}

/** A server of which a probe found out this. */
export function foundServer(verdict: upstreamContracts.AuthVerdict, over: Partial<serverContracts.Server> = {}, advice: string | null = null): serverContracts.Server {
  const steps: upstreamContracts.AuthStep[] = [
    { step: 'request', outcome: 'ok', url: 'https://api.github.test/mcp', detail: 'The server answered 401 and asks for an account.' },
    { step: 'resource_metadata', outcome: 'skipped', url: null, detail: 'It names none.' },
    { step: 'authorization_server', outcome: verdict === 'failed' ? 'failed' : 'ok', url: 'https://github.test', detail: 'Its metadata is at https://github.test.' },
  ];
  const { health } = sampleServer();
  return sampleServer({ name: 'github', url: 'https://api.github.test/mcp', auth: 'auto', identityMode: 'private-or-global', ...over, health: { ...health, checkedAt: 7, detail: 'It waits for an account.', steps, verdict, advice } });
}

/** A preset as it is shown. */
export function samplePreset(over: object = {}): object {
  return { name: 'github', title: 'GitHub', hosts: ['api.github.test'], oauth: { scopes: ['repo'] }, header: { name: 'Authorization', prefix: 'Bearer ' }, documentation: 'https://docs.github.test', notes: null, source: 'built-in', ...over };
}
