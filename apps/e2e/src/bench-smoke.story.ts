import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const RUN = fileURLToPath(new URL('../../../tools/bench/run.mjs', import.meta.url));
const WAYS = ['direct', 'baseline', 'gatehouse', 'gatehouse, fresh'];

describe('the benchmark', () => {
  it('runs in short, and every call of every way is answered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
    const out = join(folder, 'bench.json');
    await promisify(execFile)(process.execPath, [RUN, '--smoke', '--form', 'one', '--out', out], { timeout: 80_000 });
    const { full, paced, saturated } = JSON.parse(await readFile(out, 'utf8'));
    await rm(folder, { recursive: true, force: true });
    for (const measured of [full, paced, saturated]) {
      expect(measured.map((each: { target: string }) => each.target)).toEqual(WAYS);
      for (const { rounds } of measured) expect(rounds).toEqual([expect.objectContaining({ failed: 0, callsPerSecond: expect.any(Number) })]);
    }
  }, 90_000);
});
