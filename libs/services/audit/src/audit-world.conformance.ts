import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { Database } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { testDatabase, type TestDatabase } from '@gatehouse/testing';
import { startAuditService, type RunningService } from './start-audit-service.js';

/** For specs: two replicas of the audit service, each on a bus of its own, over one real database. */
export class AuditWorld {
  readonly metrics = new Metrics();

  private constructor(
    private readonly postgres: TestDatabase,
    readonly database: Database,
    private readonly services: RunningService[] = [],
    readonly gateways: Bus[] = [],
    private readonly buses: Bus[] = [],
  ) {}

  /** Starts everything. */
  static async start(): Promise<AuditWorld> {
    const postgres = await testDatabase();
    const world = new AuditWorld(postgres, await Database.open({ url: postgres.url, schema: 'audit', migrations: [] }));
    await world.addReplica();
    await world.addReplica();
    return world;
  }

  /** A gateway's bus that reaches the first (0) or the second (1) replica. */
  gateway(replica = 0): Bus {
    return this.gateways[replica]!;
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    for (const service of this.services) await service.close();
    for (const bus of this.buses) await bus.close();
    await this.database.close();
    await this.postgres.stop();
  }

  private async addReplica(): Promise<void> {
    const broker = new InProcessBroker();
    const bus = inProcessBus(broker, 'audit');
    const log = createLogger({ service: 'audit', level: 'silent' });
    this.services.push(await startAuditService({ bus, log, metrics: this.metrics, database: this.postgres.url }));
    const gateway = inProcessBus(broker, 'gateway');
    this.gateways.push(gateway);
    this.buses.push(gateway, bus);
  }
}
