import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEmbedded } from './world/embedded-world.js';
import type { World } from './world/world.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_MS = 60_000;

/** The lines of README's `sh` blocks that talk to a running Gatehouse, in order. */
function commands(): string[] {
  const blocks = readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, block]) => block!.trim().split('\n')).filter((line) => line.startsWith('npx gatehouse'));
}

describe('README', () => {
  let world: World;
  let bin: string;
  beforeAll(async () => {
    world = await startEmbedded({});
    // `npx` resolves the workspace's own command; a link on the PATH is the same without its start-up time.
    bin = mkdtempSync(join(tmpdir(), 'gatehouse-bin-'));
    symlinkSync(join(ROOT, 'apps/cli/bin/gatehouse.mjs'), join(bin, 'gatehouse'));
  }, START_MS);
  afterAll(async () => {
    await world.stop();
    rmSync(bin, { recursive: true, force: true });
  }, START_MS);

  it('has commands to try', () => {
    expect(commands().length).toBeGreaterThan(8);
  });

  it.each(commands())('%s', async (line) => {
    const env = { PATH: `${bin}:${process.env['PATH']}`, GATEHOUSE_URL: world.edges[0], GATEHOUSE_TOKEN: world.adminToken };
    const failed = await new Promise<string | undefined>((resolve) => {
      execFile('sh', ['-c', line.replace('npx gatehouse', 'gatehouse')], { cwd: ROOT, env }, (error, stdout, stderr) => {
        resolve(error === null ? undefined : `${stdout}\n${stderr}`);
      });
    });
    expect(failed).toBeUndefined();
  });
});
