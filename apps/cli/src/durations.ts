import { usageFailure } from './failure.js';

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATION = /^(\d{1,6})([smhdw])$/;

/** `90s`, `15m`, `1h`, `7d` or `2w` in milliseconds, or undefined. */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : Number(count) * (UNIT_MS[unit] ?? 0);
}

/** A point in time as milliseconds since the epoch: a duration back from now, or RFC 3339. */
export function pastTime(text: string, now: number): number {
  const back = durationMs(text);
  return back === undefined ? instant(text) : Math.max(0, now - back);
}

/** A point in time ahead: a duration from now, or RFC 3339. */
export function futureTime(text: string, now: number): number {
  const ahead = durationMs(text);
  return ahead === undefined ? instant(text) : now + ahead;
}

function instant(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw usageFailure(`${JSON.stringify(text)} is no time`, 'a duration such as 15m, 1h or 7d, or a time such as 2026-01-31T12:00:00Z');
}
