import { readdir, readFile } from 'node:fs/promises';

const TICK_US = 10_000;
const NS_PER_US = 1_000;

/** CPU time a process has used so far, by two counters of the kernel, in microseconds. */
export interface CpuTime {
  /** Sum over its threads, to the nanosecond. */
  schedstatUs: number;
  /** User and system time in ticks of 10 ms: coarser, but it keeps threads that ended. */
  statUs: number;
}

/** Reads both counters. */
export async function cpuTime(pid: number): Promise<CpuTime> {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')));
  const schedstatUs = texts.reduce((sum, text) => sum + Number(text.split(' ')[0]) / NS_PER_US, 0);
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { schedstatUs, statUs: (Number(fields[11]) + Number(fields[12])) * TICK_US };
}

/** Resident memory of a process in megabytes (10^6 bytes). */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return (kib * 1_024) / 1e6;
}
