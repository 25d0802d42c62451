import { build } from '../run-step.mjs';

// Revocation to refusal over two edges, streams included: `node tools/bench/revocation.mjs [trials of each kind]`.
// Targets: refused p99 under 1 s, streams cut p99 under 2 s.
const built = await build('apps/e2e', 'apps/gateway', 'apps/auth', 'apps/policy', 'apps/vault', 'apps/audit');
if (built !== 0) process.exit(built);
const { measureRevocation } = await import('../../apps/e2e/dist/bench/revocation.js');
await measureRevocation(Number(process.argv[2] ?? 100), (line) => process.stdout.write(`${line}\n`));
process.exit(0);
