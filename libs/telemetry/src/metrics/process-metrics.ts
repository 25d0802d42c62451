import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Counter, Metrics } from './metrics.js';

const RESOLUTION_MS = 10;
const QUANTILES = [0.5, 0.99, 1] as const;
const GC_KINDS = new Map<unknown, string>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
]);

/**
 * Memory, CPU, event loop lag (since the last reading) and garbage collection of this process, under
 * the names that other exporters use. `close` ends the measuring.
 */
export function processMetrics(metrics: Metrics): { close(): void } {
  const cpu = metrics.counter('process_cpu_seconds_total', 'User and system CPU time of the process');
  const resident = metrics.gauge('process_resident_memory_bytes', 'Resident memory');
  const heap = metrics.gauge('nodejs_heap_size_used_bytes', 'Used heap');
  metrics.gauge('process_start_time_seconds', 'Start of the process since the epoch').set(Math.round(Date.now() / 1_000 - process.uptime()));
  metrics.onRender(() => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    cpu.labels().value = (user + system) / 1e6;
    resident.set(rss);
    heap.set(heapUsed);
  });
  const stopLag = eventLoopLag(metrics);
  const stopGc = garbageCollection(metrics.counter('nodejs_gc_seconds_total', 'Time spent in garbage collection', ['kind']));
  return { close: () => (stopLag(), stopGc()) };
}

function eventLoopLag(metrics: Metrics): () => void {
  const lag = metrics.gauge('nodejs_eventloop_lag_seconds', 'How late timers ran since the last reading', ['quantile']);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  metrics.onRender(() => {
    // What is measured is the whole interval of the sampling timer; the lag is what exceeds it.
    for (const quantile of QUANTILES) lag.labels(String(quantile)).set(Math.max(0, delay.percentile(quantile * 100) / 1e9 - RESOLUTION_MS / 1e3));
    delay.reset();
  });
  return () => void delay.disable();
}

function garbageCollection(seconds: Counter): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as { detail?: { kind?: number } };
      seconds.labels(GC_KINDS.get(detail?.kind) ?? 'other').inc(entry.duration / 1e3);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}
