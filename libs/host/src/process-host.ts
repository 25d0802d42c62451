import { readFileSync } from 'node:fs';
import { natsBus, type Bus } from '@gatehouse/bus';
import type { ServiceName } from '@gatehouse/contracts';
import { redisEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import type { Secret } from '@gatehouse/kernel';
import { createLogger, HealthChecks, libraryOutputTo, Metrics, processMetrics, startMetricsListener, type Logger, type LogLevel } from '@gatehouse/telemetry';

/** Values of `processFields`. */
export interface ProcessConfig {
  logLevel: LogLevel;
  /** `host:port`. */
  metricsListen: string;
  caFile?: string | undefined;
}

/** What surrounds a service in a process: logs, figures, health. */
export interface ProcessHost {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: HealthChecks;
  /** Closes after the service did. */
  close(): Promise<void>;
}

/** Opens logs and the metrics listener of a process. `service` is the name under which its readiness is to be registered. */
export async function openHost(service: string, config: ProcessConfig): Promise<ProcessHost> {
  const log = createLogger({ service, level: config.logLevel });
  libraryOutputTo(log);
  const metrics = new Metrics();
  const ownFigures = processMetrics(metrics);
  const health = new HealthChecks();
  // Replaced by the service's own check under the same name; until then nothing is ready, however well it looks.
  health.register(service, () => 'is starting');
  const listener = await startMetricsListener({ listen: config.metricsListen, metrics, health });
  const close = async (): Promise<void> => {
    ownFigures.close();
    await listener.close();
  };
  return { log, metrics, health, close };
}

/** The PEM text of the configured authorities, if there are any. */
export function trustedAuthorities({ caFile }: Pick<ProcessConfig, 'caFile'>): string | undefined {
  return caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
}

/** Connects a service to NATS. */
export function connectBus(service: ServiceName, natsUrl: Secret, host: ProcessHost, ca: string | undefined): Promise<Bus> {
  const dropped = host.metrics.counter('gatehouse_bus_dropped_events_total', 'Events that no instance could handle', ['subject']);
  const url = natsUrl.use((bytes) => bytes.toString('utf8'));
  const onPoison = ({ subject }: { subject: string }): void => dropped.labels(subject).inc();
  return natsBus({ url, service, log: host.log, onPoison, ...(ca === undefined ? {} : { ca }) });
}

/** Connects to Redis. */
export function connectEphemeral(redisUrl: Secret, host: ProcessHost, ca: string | undefined): Promise<Ephemeral> {
  const url = redisUrl.use((bytes) => bytes.toString('utf8'));
  return redisEphemeral({ url, keyPrefix: 'gatehouse:', log: host.log, ...(ca === undefined ? {} : { ca }) });
}
