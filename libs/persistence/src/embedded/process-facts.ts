import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './cannot-start.js';

const run = promisify(execFile);
const START_TIME_FIELD = 19; // of /proc/PID/stat, counted after the command's name (proc(5) field 22)

/** Whether a process of this id runs, whoever owns it. A zombie does not: under an init that never reaps it stays for ever. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return process.platform !== 'linux' || stateOf(pid) !== 'Z';
}

function stateOf(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status[status.lastIndexOf(')') + 2];
  } catch {
    return 'Z'; // gone between the two looks
  }
}

/** What tells two processes with the same id apart: boot and start time on Linux, elsewhere a constant. */
export async function processStart(pid: number): Promise<string> {
  if (process.platform !== 'linux') return '-';
  const [boot, status] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''), // some sandboxes hide it
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''), // gone by now
  ]);
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return `${boot.trim()}/${fields[START_TIME_FIELD] ?? ''}`;
}

/** Whether the process is a PostgreSQL one of this cluster: each works in its data directory. */
export async function servesCluster(pid: number | string, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => ({ stdout: '' })); // ps fails when it is gone
    return stdout.includes('postgres') && stdout.includes(folder);
  }
  const [cwd, name] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''), // gone, or not ours to see, so not ours
    readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''), // the same
  ]);
  return name.trim() === 'postgres' && cwd === (await realpath(folder));
}

/** Whether any process serves the cluster, be it one whose postmaster is dead (Linux only). */
export async function isServed(folder: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => servesCluster(pid, folder)))).some(Boolean);
}
