import { join } from 'node:path';
import { ESLint } from 'eslint';
import { ROOT } from '../run-step.mjs';

// Read by nx when it is loaded, which is below: it would start a daemon that outlives this command.
process.env['NX_DAEMON'] = 'false';
process.env['NX_ISOLATE_PLUGINS'] = 'false';

const BOUNDARIES = '@nx/enforce-module-boundaries';
const PLANTED = { path: 'libs/services/vault/src/planted.ts', text: "import '@gatehouse/service-policy';\n" };

/**
 * ESLint with the module boundaries live. Without a cached project graph the boundary rule skips
 * itself and the run stays green, so the graph is written first and one violation is planted.
 */
export async function openLinter() {
  process.chdir(ROOT);
  const { createProjectGraphAsync } = await import('nx/src/project-graph/project-graph.js');
  await createProjectGraphAsync({ exitOnError: true });
  const eslint = new ESLint({ cwd: ROOT });
  const rules = await rulesBroken(eslint, PLANTED);
  if (!rules.includes(BOUNDARIES)) throw new Error('the module boundary rule is not running: a planted violation was not reported');
  return eslint;
}

/** Rules that a text would break as the file at `path`, which need not exist. */
export async function rulesBroken(eslint, { path, text }) {
  const [result] = await eslint.lintText(text, { filePath: join(ROOT, path) });
  return (result?.messages ?? []).map((message) => message.ruleId ?? message.message);
}
