import type { SessionMemory } from './memory.js';
import type { Measured } from './rounds.js';
import { column, leastAndMedian } from './statistics.js';

/** One line of the verdict. */
export interface Figure {
  name: string;
  measured: number;
  unit: string;
  /** The most it may be; null for what is only told. */
  target: number | null;
  verdict: 'pass' | 'miss' | '-';
}

/** What was measured in one run; memory is left out of a short one. */
export interface Measurements {
  full: Measured[];
  paced: Measured[];
  saturated: Measured[];
  idleMb?: number;
  sessions?: SessionMemory;
}

const CPU_RATIO = 2;
const ADDED_P50_MS = 0.5;
const IDLE_MB = 250;
const SESSIONS_MB = 30;

/** Everything with a target, and what explains it. */
export function figuresOf({ full, paced, saturated, idleMb, sessions }: Measurements): Figure[] {
  return [
    ...(['gatehouse', 'gatehouse, fresh'] as const).flatMap((name) => [
      figure(`CPU of ${name} / baseline, least round`, ratio(full, name, 'min'), 'x', CPU_RATIO),
      figure(`CPU of ${name} / baseline, median round`, ratio(full, name, 'median'), 'x', null),
      figure(`p50 added by ${name} to direct, 8 paced connections`, addedP50(paced, name, 'direct'), 'ms', ADDED_P50_MS),
      figure(`p50 added by ${name} to baseline, 8 paced connections`, addedP50(paced, name, 'baseline'), 'ms', null),
      figure(`p50 added by ${name} to direct, 8 connections without pause`, addedP50(saturated, name, 'direct'), 'ms', null),
    ]),
    ...(idleMb === undefined ? [] : [figure('idle memory of the one process, without the database engine', idleMb, 'MB', IDLE_MB)]),
    ...(sessions === undefined ? [] : sessionFigures(sessions)),
  ];
}

function sessionFigures({ sessions, addedMb, addedWithStreamsMb, streams }: SessionMemory): Figure[] {
  return [
    figure(`memory added by ${sessions} open sessions`, addedMb, 'MB', SESSIONS_MB),
    figure(`memory added by them with ${streams} open streams`, addedWithStreamsMb, 'MB', null),
  ];
}

function figure(name: string, measured: number, unit: string, target: number | null): Figure {
  if (target === null) return { name, measured, unit, target, verdict: '-' };
  return { name, measured, unit, target, verdict: measured <= target ? 'pass' : 'miss' };
}

function ratio(measured: readonly Measured[], name: string, which: 'min' | 'median'): number {
  return cpuOf(measured, name)[which] / cpuOf(measured, 'baseline')[which];
}

function cpuOf(measured: readonly Measured[], name: string): { min: number; median: number } {
  return leastAndMedian(column(named(measured, name), 'cpuUs'));
}

function addedP50(measured: readonly Measured[], name: string, to: string): number {
  const p50 = (of: string): number => leastAndMedian(column(named(measured, of), 'p50Ms')).median;
  return p50(name) - p50(to);
}

function named(measured: readonly Measured[], name: string): Measured {
  return measured.find(({ target }) => target === name)!;
}
