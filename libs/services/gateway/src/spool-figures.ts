import type { Metrics } from '@gatehouse/telemetry';
import type { Spool } from './spool/spool.js';

/** Shows how the audit spool does: what waits, what was dropped, whether calls can be recorded at all. */
export function showSpoolFigures(metrics: Metrics, spool: Spool): void {
  const bytes = metrics.gauge('gatehouse_spool_bytes', 'Bytes of the audit spool on disk');
  const waiting = metrics.gauge('gatehouse_spool_unconfirmed_entries', 'Entries that the audit service has not confirmed');
  const dropped = metrics.gauge('gatehouse_spool_dropped_entries', 'Refusals and changes that found no room in the spool');
  const failures = metrics.gauge('gatehouse_spool_failed_shipments', 'Attempts to ship since the last that succeeded');
  const healthy = metrics.gauge('gatehouse_spool_healthy', 'Whether a call could be recorded now (1) or would be refused (0)');
  metrics.onRender(() => {
    const figures = spool.figures();
    bytes.set(figures.bytes);
    waiting.set(figures.unshipped);
    dropped.set(figures.dropped);
    failures.set(figures.failedShipments);
    healthy.set(spool.state().healthy ? 1 : 0);
  });
}
