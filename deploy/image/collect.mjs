import { cp, glob, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RUNS } from './runs.mjs';

/** Copies what runs, and nothing that is only built from, to the folder: results, manifests, the lock file. */
export async function collect(target) {
  for await (const path of glob(RUNS)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await cp(path, join(target, path), { recursive: true });
  }
}

await collect(process.argv[2]);
