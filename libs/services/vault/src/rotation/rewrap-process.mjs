/** A vault of its own process that rotates its credential key again and again until it is killed. */
import { inProcessBus, InProcessBroker } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { startVaultService } from '../start-vault-service.js';

const { database, config } = JSON.parse(process.argv[2]);
const broker = new InProcessBroker();
const log = createLogger({ service: 'vault', level: 'silent' });
await startVaultService({ bus: inProcessBus(broker, 'vault'), log, metrics: new Metrics(), database, config });
const gateway = inProcessBus(broker, 'gateway');
process.stdout.write('moving\n');
for (;;) {
  const { keys } = await gateway.request(vaultContracts.rotationProgress, {});
  await gateway.request(vaultContracts.rotateKeys, { what: 'credential', expectedActive: keys[0].active });
  await new Promise((resolve) => setTimeout(resolve, 300));
}
