import { Fault } from '@gatehouse/kernel';
import { CounterCell, GaugeCell, HistogramCell } from './cells.js';
import { Family } from './family.js';
import { renderFamily } from './exposition.js';

/** Seconds, as the MCP semantic conventions have them (OpenTelemetry gen-ai/mcp metrics). */
export const SECONDS_BUCKETS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** Something that only grows. */
export class Counter extends Family<CounterCell> {
  readonly kind = 'counter';

  /** Adds to a counter without labels. */
  inc(by = 1): void {
    this.only().value += by;
  }
}

/** Something that goes up and down. */
export class Gauge extends Family<GaugeCell> {
  readonly kind = 'gauge';

  /** Sets a gauge without labels. */
  set(value: number): void {
    this.only().value = value;
  }

  /** Changes a gauge without labels. */
  add(by: number): void {
    this.only().value += by;
  }
}

/** How observations spread over buckets. */
export class Histogram extends Family<HistogramCell> {
  readonly kind = 'histogram';

  /** Adds an observation to a histogram without labels. */
  observe(value: number): void {
    this.only().observe(value);
  }
}

type Metric = Counter | Gauge | Histogram;

const NAME = /^[a-z_][a-z0-9_]*$/;

/**
 * The metrics of one process. Asking twice for the same name and labels gives the same metric, so
 * that services in one process may share one; asking for it with another shape is a `Fault`.
 */
export class Metrics {
  private readonly families = new Map<string, Metric>();
  private readonly collectors: (() => void)[] = [];

  /** `name` ends in `_total`. */
  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    if (!name.endsWith('_total')) throw new Fault(`the counter ${name} must end in _total`);
    return this.family('counter', new Counter(name, help, labels, () => new CounterCell()));
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.family('gauge', new Gauge(name, help, labels, () => new GaugeCell()));
  }

  /** `buckets` are ascending upper bounds in the unit that the name ends in. */
  histogram(name: string, help: string, labels: readonly string[] = [], buckets: readonly number[] = SECONDS_BUCKETS): Histogram {
    return this.family('histogram', new Histogram(name, help, labels, () => new HistogramCell(buckets)));
  }

  /** Runs before every rendering: for values that are read rather than counted. */
  onRender(collect: () => void): void {
    this.collectors.push(collect);
  }

  /** Everything in the Prometheus text format 0.0.4. */
  render(): string {
    this.collectors.forEach((collect) => collect());
    return [...this.families.values()].map(renderFamily).join('');
  }

  private family<M extends Metric>(kind: M['kind'], made: M): M {
    const bad = [made.name, ...made.labelNames].find((name) => !NAME.test(name));
    if (bad !== undefined) throw new Fault(`${bad} is not a metric or label name`);
    const known = this.families.get(made.name);
    if (known === undefined) this.families.set(made.name, made);
    else if (known.kind !== kind || known.labelNames.join() !== made.labelNames.join()) throw new Fault(`the metric ${made.name} exists with another shape`);
    return (known ?? made) as M;
  }
}
