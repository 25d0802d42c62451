import type { Metrics } from '@gatehouse/telemetry';

type Histogram = ReturnType<Metrics['histogram']>;
type Counter = ReturnType<Metrics['counter']>;
type Gauge = ReturnType<Metrics['gauge']>;

/** The figures of the calls of one edge. Names of servers are labels only while they are few; the registry caps them. */
export class CallMetrics {
  readonly calls: Counter;
  readonly seconds: Histogram;
  readonly streams: Gauge;
  readonly inFlight: Gauge;

  constructor(metrics: Metrics) {
    this.calls = metrics.counter('gatehouse_calls_total', 'Calls by how they ended', ['outcome']);
    this.seconds = metrics.histogram('gatehouse_call_seconds', 'Time of a call from its head to the end of its answer', []);
    this.streams = metrics.gauge('gatehouse_open_streams', 'Event streams open to clients', []);
    this.inFlight = metrics.gauge('gatehouse_calls_in_flight', 'Calls being worked on', []);
  }
}
