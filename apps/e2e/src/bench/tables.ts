import type { Figure } from './figures.js';
import type { Measured } from './rounds.js';
import { column, leastAndMedian } from './statistics.js';

/** Rows of text in columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ')).join('\n');
}

/** One kind of load: least and median over the rounds, per target. */
export function loadTable(title: string, measured: readonly Measured[]): string {
  const head = ['', 'calls/s best', 'median', 'CPU µs/call least', 'median', 'by stat', 'p50 ms', 'p99 ms', 'failed'];
  return `${title}\n${table([head, ...measured.map(loadRow)])}\n`;
}

function loadRow(measured: Measured): string[] {
  const rate = column(measured, 'callsPerSecond');
  const cpu = leastAndMedian(column(measured, 'cpuUs'));
  const stat = leastAndMedian(column(measured, 'cpuUsByStat'));
  const failed = column(measured, 'failed').reduce((sum, count) => sum + count, 0);
  const p50 = leastAndMedian(column(measured, 'p50Ms')).median;
  const p99 = leastAndMedian(column(measured, 'p99Ms')).median;
  const whole = [Math.max(...rate), leastAndMedian(rate).median].map((value) => value.toFixed(0));
  return [measured.target, ...whole, shown(cpu.min, 1), shown(cpu.median, 1), shown(stat.min, 1), shown(p50, 2), shown(p99, 2), String(failed)];
}

/** The verdicts. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, measured, unit, target, verdict }) => [
    name,
    `${shown(measured, 2)} ${unit}`,
    target === null ? '' : `≤ ${target} ${unit}`,
    verdict,
  ]);
  return table([['', 'measured', 'target', ''], ...rows]);
}

function shown(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
