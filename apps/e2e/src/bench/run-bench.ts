import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { BenchChild, NODE_FLAGS } from './bench-child.js';
import { durableWriteMs } from './disk-write.js';
import { figuresOf, type Measurements } from './figures.js';
import { idleMemory, sessionMemory } from './memory.js';
import { measureInTurns, type Measured, type Plan } from './rounds.js';
import { figureTable, loadTable } from './tables.js';
import { startBenchWorld, type BenchForm, type BenchWorld } from './targets.js';

/** What the command line says. */
export interface BenchOptions {
  /** A short run that fails only when calls fail: no memory figures, no verdict. */
  smoke: boolean;
  form: BenchForm;
  /** Where the figures go as JSON. */
  out: string;
}

interface Plans {
  full: Plan;
  paced: Plan;
  saturated: Plan;
}

const PLANS: Plans = {
  full: { rounds: 10, warmUpMs: 5_000, roundMs: 2_000, callers: 64, pauseMs: 0 },
  paced: { rounds: 5, warmUpMs: 500, roundMs: 2_000, callers: 8, pauseMs: 8 },
  saturated: { rounds: 3, warmUpMs: 500, roundMs: 2_000, callers: 8, pauseMs: 0 },
};
const SHORT: Partial<Plan> = { rounds: 1, warmUpMs: 100, roundMs: 350 };
const SMOKE_PLANS: Plans = {
  full: { ...PLANS.full, ...SHORT, callers: 16 },
  paced: { ...PLANS.paced, ...SHORT },
  saturated: { ...PLANS.saturated, ...SHORT },
};
const SESSIONS = 1_000;
const CONDITIONS = {
  load: 'callers with one keep-alive connection and one call in flight each; 5 tools, changing arguments; about 0.4 KB in, 1.3 KB out',
  cpu: 'CPU time of the one process per call: sum of its threads from schedstat, and from stat',
  fresh: 'the same upstream under a policy that reads an argument, so that no decision is remembered',
};

/** Measures, prints, writes JSON; resolves to the exit code: 1 when a call failed or, in a full run, a target was missed. */
export async function runBench(options: BenchOptions, say: (text: string) => void): Promise<number> {
  const plans = options.smoke ? SMOKE_PLANS : PLANS;
  const conditions = { ...CONDITIONS, node: process.version, flags: NODE_FLAGS, cpus: `${cpus().length} x ${cpus()[0]?.model ?? '?'}`, machineLoad: loadavg() };
  const idleMb = options.smoke ? undefined : await idleMemory();
  const world = await startBenchWorld(plans.full.callers, options.form);
  try {
    const durableWrite = await durableWriteMs();
    say(`Gatehouse is ${world.form}; node ${process.version} ${NODE_FLAGS.join(' ')}; one durable write takes ${durableWrite.toFixed(2)} ms; ${conditions.cpus}\n`);
    const measurements = { ...(await measureLoads(world, plans, say)), ...(idleMb === undefined ? {} : { idleMb }) };
    const complete = options.smoke ? measurements : { ...measurements, sessions: await sessionMemory(world.world, 'remembered', SESSIONS) };
    // What a short, cold run shows of targets is no verdict.
    const figures = options.smoke ? [] : figuresOf(complete);
    if (!options.smoke) say(`${figureTable(figures)}\n`);
    await write(options.out, { at: new Date().toISOString(), form: world.form, conditions, durableWriteMs: durableWrite, plans, figures, ...complete });
    return exitCode(complete, figures.some(({ verdict }) => verdict === 'miss'), say);
  } finally {
    await world.stop();
  }
}

async function measureLoads({ targets }: BenchWorld, plans: Plans, say: (text: string) => void): Promise<Measurements> {
  const load = await BenchChild.start('load-process');
  const measure = async (title: string, plan: Plan): Promise<Measured[]> => {
    const measured = await measureInTurns(load, targets, plan);
    say(loadTable(`${title}, ${plan.rounds} x ${plan.roundMs / 1_000} s each`, measured));
    return measured;
  };
  try {
    return {
      full: await measure(`${plans.full.callers} callers as fast as it goes`, plans.full),
      paced: await measure(`${plans.paced.callers} callers that pause ${plans.paced.pauseMs} ms`, plans.paced),
      saturated: await measure(`${plans.saturated.callers} callers as fast as it goes`, plans.saturated),
    };
  } finally {
    await load.stop();
  }
}

async function write(path: string, report: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
}

function exitCode({ full, paced, saturated }: Measurements, missed: boolean, say: (text: string) => void): number {
  const rounds = [...full, ...paced, ...saturated].flatMap((measured) => measured.rounds.map((round) => ({ ...round, target: measured.target })));
  const failing = rounds.find(({ failed }) => failed > 0);
  if (failing !== undefined) say(`calls failed (${failing.target}): ${failing.firstFailure ?? ''}\n`);
  const silent = rounds.some(({ callsPerSecond }) => callsPerSecond === 0);
  return failing !== undefined || silent || missed ? 1 : 0;
}
