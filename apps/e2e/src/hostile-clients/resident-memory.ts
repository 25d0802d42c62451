import { readFileSync } from 'node:fs';

const SAMPLE_MS = 10;

/** Bytes of memory that a process holds now (VmRSS of proc(5)). */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Runs the work and tells by how much the memory of the processes grew at its worst moment, summed up. */
export async function growthDuring(pids: readonly number[], work: () => Promise<void>): Promise<number> {
  const held = (): number => pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  const before = held();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, held())), SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, held()) - before;
}
