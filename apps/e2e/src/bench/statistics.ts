import type { Measured, Round } from './rounds.js';

/** The middle of several values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A column of the rounds, without those that have none. */
export function column(measured: Measured, key: keyof Round): number[] {
  return measured.rounds.map((round) => round[key]).filter((value) => typeof value === 'number');
}

/** Both ends that are reported: contention only makes CPU time and latency larger, so the least is the truest. */
export function leastAndMedian(values: readonly number[]): { min: number; median: number } {
  return { min: Math.min(...values), median: median(values) };
}

/** The value below which this part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
