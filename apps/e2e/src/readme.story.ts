import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { withDemo } from './world/sample.js';
import { inBothForms } from './world/world.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The lines of README's `sh` blocks that talk to a running Gatehouse, in order. */
function commands(): string[] {
  const blocks = readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, block]) => block!.trim().split('\n')).filter((line) => line.startsWith('npx gatehouse'));
}

inBothForms('README', (world) => {
  let demo: { close(): Promise<void> };
  let bin: string;
  beforeAll(async () => {
    demo = await withDemo(world());
    // `npx` resolves the workspace's own command; a link on the PATH is the same without its start-up time.
    bin = mkdtempSync(join(tmpdir(), 'gatehouse-bin-'));
    symlinkSync(join(ROOT, 'apps/cli/bin/gatehouse.mjs'), join(bin, 'gatehouse'));
  });
  afterAll(async () => {
    await demo.close();
    rmSync(bin, { recursive: true, force: true });
  });

  it('has commands to try', () => {
    expect(commands().length).toBeGreaterThan(8);
  });

  it.each(commands())('%s', async (line) => {
    const env = { PATH: `${bin}:${process.env['PATH']}`, GATEHOUSE_URL: world().edges[0], GATEHOUSE_TOKEN: world().adminToken };
    const failed = await new Promise<string | undefined>((resolve) => {
      execFile('sh', ['-c', line.replace('npx gatehouse', 'gatehouse')], { cwd: ROOT, env }, (error, stdout, stderr) => {
        resolve(error === null ? undefined : `${stdout}\n${stderr}`);
      });
    });
    expect(failed).toBeUndefined();
  });
});
