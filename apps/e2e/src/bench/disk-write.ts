import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.js';

const WRITES = 200;
const BLOCK = Buffer.alloc(2_048, 1);

/** How long one durable write takes on the disk that holds the spool, median in milliseconds: no call is faster. */
export async function durableWriteMs(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const file = await open(join(folder, 'writes'), 'w');
  const taken: number[] = [];
  while (taken.length < WRITES) {
    const begun = performance.now();
    await file.write(BLOCK);
    await file.datasync();
    taken.push(performance.now() - begun);
  }
  await file.close();
  await rm(folder, { recursive: true, force: true });
  return median(taken);
}
