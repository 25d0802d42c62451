import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type GatewayWorld } from '../test/gateway-world.js';
import { foundServer, samplePreset } from '../test/identity-samples.js';
import { invoke } from '../test/invoke.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GUIDES = readdirSync(`${ROOT}docs/guides`).map((file) => `docs/guides/${file}`);

/** Every command line of the code blocks, however the block is marked. */
function commands(): [string, string][] {
  return ['README.md', ...GUIDES].flatMap((file) => {
    const blocks = [...readFileSync(ROOT + file, 'utf8').matchAll(/^```[a-z]*\n([\s\S]*?)^```$/gm)];
    const lines = blocks.flatMap(([, block = '']) => block.trim().split('\n')).filter((line) => line.startsWith('npx gatehouse '));
    return lines.map((line): [string, string] => [file, line]);
  });
}

/** The words of a command as a shell splits these: quotes are taken off, what follows `>` or `||` is the shell's. */
function words(line: string): string[] {
  const [command = ''] = line.split(/ > | \|\| /);
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(2);
}

describe('a command that the documentation shows', () => {
  let world: GatewayWorld;
  beforeAll(async () => {
    const server = { body: foundServer('sign_in') };
    const names = ['github', 'example', 'linear'];
    world = await startGatewayWorld(Object.fromEntries(names.flatMap((name) => ['GET', 'PATCH'].map((method) => [`${method} /api/v1/servers/${name}`, server]))));
  });
  afterAll(() => world.close());

  it.each(commands())('in %s is one that there is: %s', async (_file, line) => {
    const files = new Proxy<Record<string, string>>({}, { get: (_target, name) => (String(name).endsWith('.yaml') ? JSON.stringify(samplePreset()) : 'some text') });
    const variables = new Proxy<Record<string, string>>({}, { get: () => 'a value' });
    const ran = await invoke(words(line), { url: world.url, files, variables, input: 'a value', interrupted: AbortSignal.timeout(2_000) });
    // Refused or failed is no matter here, since nothing stands behind this gateway; what is no command ends with 2.
    expect({ line, code: ran.code === 2 ? ran.err : 'understood' }).toEqual({ line, code: 'understood' });
  });
});
