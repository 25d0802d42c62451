const SERVICES = ['gateway', 'auth', 'vault', 'policy', 'audit'];
const TASKS = {
  'init-secrets': async () => (await import('./secrets/init-secrets.mjs')).initSecrets(process.env),
  'admin-token': async () => (await import('./secrets/admin-token.mjs')).adminToken(process.env),
  healthcheck: async () => (await import('./healthcheck.mjs')).healthcheck(process.env),
};
const USAGE = 64;

/**
 * What the image runs: a service, which reads its environment as everywhere (services bring their schema
 * up to date when they start, taking turns on a lock, so there is no role for it), or a task that ends.
 */
async function run(role) {
  if (SERVICES.includes(role)) return void (await import(`../../apps/${role}/dist/main.js`));
  const task = TASKS[role];
  if (task === undefined) return usage(role);
  process.exitCode = await task();
}

function usage(role) {
  process.stderr.write(`gatehouse: ${role === undefined ? 'a role is missing' : `there is no role ${role}`}; one of ${[...SERVICES, ...Object.keys(TASKS)].join(', ')}\n`);
  process.exitCode = USAGE;
}

await run(process.argv[2]);
