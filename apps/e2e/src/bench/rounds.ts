import type { BenchChild } from './bench-child.js';
import type { LoadOrder, LoadReport } from './load.js';
import { cpuTime } from './process-use.js';
import type { Target } from './targets.js';

/** How one kind of load is measured. */
export interface Plan {
  rounds: number;
  warmUpMs: number;
  roundMs: number;
  callers: number;
  pauseMs: number;
}

/** One round of one target. */
export interface Round {
  callsPerSecond: number;
  failed: number;
  firstFailure: string | null;
  p50Ms: number;
  p99Ms: number;
  /** CPU of the target's process per call, microseconds, by both counters; null for the direct way. */
  cpuUs: number | null;
  cpuUsByStat: number | null;
}

/** Every round of one target. */
export interface Measured {
  target: Target['name'];
  rounds: Round[];
}

const SPARE_MS = 90_000;

/** Measures all targets in turns, so that what else the machine does hits them alike; each round starts with another one. */
export async function measureInTurns(load: BenchChild<object>, targets: readonly Target[], plan: Plan): Promise<Measured[]> {
  const measured = targets.map(({ name }): Measured => ({ target: name, rounds: [] }));
  for (const target of targets) await load.ask<LoadReport>(orderFor(target, plan, plan.warmUpMs), plan.warmUpMs + SPARE_MS);
  for (let round = 0; round < plan.rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const at = (round + turn) % targets.length;
      measured[at]!.rounds.push(await measureOnce(load, targets[at]!, plan));
    }
  }
  return measured;
}

async function measureOnce(load: BenchChild<object>, target: Target, plan: Plan): Promise<Round> {
  const before = target.pid === undefined ? undefined : await cpuTime(target.pid);
  const report = await load.ask<LoadReport>(orderFor(target, plan, plan.roundMs), plan.roundMs + SPARE_MS);
  const after = target.pid === undefined ? undefined : await cpuTime(target.pid);
  const { calls, seconds, failed, firstFailure, p50Ms, p99Ms } = report;
  const used = (counter: 'schedstatUs' | 'statUs'): number | null =>
    before === undefined || after === undefined || calls === 0 ? null : (after[counter] - before[counter]) / calls;
  return { callsPerSecond: calls / seconds, failed, firstFailure, p50Ms, p99Ms, cpuUs: used('schedstatUs'), cpuUsByStat: used('statUs') };
}

function orderFor({ url, headers, sessions }: Target, { callers, pauseMs }: Plan, durationMs: number): LoadOrder {
  return { url, headers, sessions, callers, pauseMs, durationMs };
}
