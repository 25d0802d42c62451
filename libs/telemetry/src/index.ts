export { HealthChecks, type HealthCheck, type HealthReport } from './health/health-checks.js';
export { startMetricsListener, type MetricsListenerOptions } from './health/metrics-listener.js';
export { catchLibraryOutput, libraryOutputTo } from './log/library-output.js';
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './log/logger.js';
export { nestLogger } from './log/nest-logger.js';
export { type CounterCell, type GaugeCell, type HistogramCell } from './metrics/cells.js';
export { Metrics, SECONDS_BUCKETS, type Counter, type Gauge, type Histogram } from './metrics/metrics.js';
export { processMetrics } from './metrics/process-metrics.js';
