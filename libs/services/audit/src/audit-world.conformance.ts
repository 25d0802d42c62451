import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker, type Bus } from '@gatehouse/bus';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { startAuditService, type RunningService } from './start-audit-service.js';

/** For specs: two replicas of the audit service, each on a bus of its own, over one real database. */
export class AuditWorld {
  readonly metrics = new Metrics();

  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    readonly database: Database,
    private readonly services: RunningService[] = [],
    readonly gateways: Bus[] = [],
    private readonly buses: Bus[] = [],
  ) {}

  /** Starts everything. */
  static async start(): Promise<AuditWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-audit-'));
    const postgres = await startEmbeddedPostgres({ dataDir: folder });
    const world = new AuditWorld(folder, postgres, await Database.open({ url: postgres.url, schema: 'audit', migrations: [] }));
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
    await rm(this.folder, { recursive: true, force: true });
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
