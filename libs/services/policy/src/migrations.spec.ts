import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { serverContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { createLogger } from '@gatehouse/telemetry';
import { testDatabase } from '@gatehouse/testing';
import { expect, it } from '@jest/globals';
import { POLICY_MIGRATIONS } from './migrations.js';
import { startPolicyService } from './start-policy-service.js';

const OLD_HEALTH = { status: 'healthy', failure: null, detail: null, checkedAt: 1, protocolVersion: '2025-06-18', serverInfo: null };
const INSERT = `
  INSERT INTO servers (id, name, url, allow_private_network, state, identity_mode, identity_id, headers, secret_headers, health, created_at, revision)
  VALUES ($1, $2, 'https://mcp.example.com/', false, 'running', $3, $4, '[]', $5, $6, 1, 7)`;

it('keeps servers that were registered before their access was known as they were, and finds out about those without a credential', async () => {
  const postgres = await testDatabase();
  const before = POLICY_MIGRATIONS.findIndex(({ name }) => name === '0008_server_access');
  const old = await Database.open({ url: postgres.url, schema: 'policy', migrations: POLICY_MIGRATIONS.slice(0, before) });
  for (const [name, mode, identity, secret] of [['keyed', 'global', newId('identity'), ['X-Key']], ['plain', 'none', null, []]] as const) {
    await old.query(INSERT, [newId('server'), name, mode, identity, secret, JSON.stringify(OLD_HEALTH)]);
  }
  await old.close();
  const broker = new InProcessBroker();
  const policy = await startPolicyService({ bus: inProcessBus(broker, 'policy'), log: createLogger({ service: 'policy', level: 'silent' }), database: postgres.url, config: { probeIntervalMs: 300_000 } });
  const gateway = inProcessBus(broker, 'gateway');
  const { items } = await gateway.request(serverContracts.listServers, {});
  const common = { revision: 7, transport: 'auto', oauth: {}, signCalls: false, forwardHeaders: [], debugUntil: null, health: { status: 'healthy', verdict: null, steps: [] } };
  expect(items).toMatchObject([
    { ...common, name: 'keyed', auth: 'headers', identityMode: 'global', secretHeaders: ['X-Key'] },
    { ...common, name: 'plain', auth: 'auto', identityMode: 'none' },
  ]);
  await gateway.close();
  await policy.close();
  await postgres.stop();
});
