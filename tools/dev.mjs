import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, ROOT, TSC } from './run-step.mjs';

// Watch mode: Gatehouse with the sample server, a company's identity provider with people and groups, and
// teams that map them. The data stays in .gatehouse/dev; the identity provider forgets everything at the end.
const LISTEN = '127.0.0.1:8080';
const ORIGIN = `http://${LISTEN}`;
const DATA_DIR = '.gatehouse/dev';
const CHANGED = /Found 0 errors/;
const SEED_MS = 60_000;
const COMPILER_MS = 2_000;
const PEOPLE = [
  { sub: 'grace', name: 'Grace Hopper', email: 'grace@example.com', email_verified: true, groups: ['gatehouse-admins', 'engineering'] },
  { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.com', email_verified: true, groups: ['engineering'] },
  { sub: 'sam', name: 'Sam Security', email: 'sam@example.com', email_verified: true, groups: ['security'] },
];
const TEAMS = { engineering: [], security: ['security'] };

const built = await build();
if (built !== 0) process.exit(built);
const { startIdentityProvider } = await import('../libs/testing/dist/index.js');
const provider = await startIdentityProvider({ people: PEOPLE, redirectUris: [`${ORIGIN}/login/callback`], backChannelLogoutUri: `${ORIGIN}/logout/backchannel` });
process.stdout.write(`\n  Identity provider ${provider.issuer}\n  sign in at ${ORIGIN}/login as ${PEOPLE.map(({ sub }) => sub).join(', ')}; grace becomes administrator.\n`);

const env = {
  ...process.env,
  GATEHOUSE_LISTEN: LISTEN,
  GATEHOUSE_DATA_DIR: DATA_DIR,
  GATEHOUSE_OIDC_ISSUER: provider.issuer,
  GATEHOUSE_OIDC_CLIENT_ID: provider.clientId,
  GATEHOUSE_OIDC_CLIENT_SECRET: provider.clientSecret,
  GATEHOUSE_OIDC_ADMIN_RULE: 'groups=gatehouse-admins',
  GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK: 'on',
};

const OWN_GROUP = process.platform !== 'win32';
const stopping = new AbortController();
let running = start();
let restarted = Promise.resolve();
const seeded = seed().catch((error) => {
  if (!stopping.signal.aborted) process.stderr.write(`seed data not written: ${error.message}\n`);
});
// In a group of its own, with what it starts itself: its own child would outlive it otherwise.
const compiler = spawn(process.execPath, [TSC, '-b', '--watch', '--preserveWatchOutput'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], detached: OWN_GROUP });
// The pipe closes when the last of them is gone.
const compilerGone = new Promise((resolve) => compiler.once('close', resolve));
let first = true;
compiler.stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  if (!CHANGED.test(String(chunk))) return;
  // The first line tells of the build that runs already.
  if (first) first = false;
  else restarted = restarted.then(restart);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop());

function start() {
  return spawn(process.execPath, ['--enable-source-maps', 'apps/gatehouse/dist/main.js'], { cwd: ROOT, env, stdio: 'inherit', detached: OWN_GROUP });
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function restart() {
  if (stopping.signal.aborted) return;
  await ended(running);
  if (!stopping.signal.aborted) running = start();
}

async function stop() {
  if (stopping.signal.aborted) return;
  stopping.abort();
  endCompiler('SIGTERM');
  await restarted;
  await ended(running);
  await seeded;
  await provider.close();
  await Promise.race([compilerGone, sleep(COMPILER_MS)]);
  endCompiler('SIGKILL');
  process.exit(0);
}

function endCompiler(signal) {
  try {
    if (OWN_GROUP) process.kill(-compiler.pid, signal);
    else compiler.kill(signal);
  } catch {
    // It is gone already.
  }
}

// Teams for the provider's groups; what is there already stays as it is.
async function seed() {
  const { readFile } = await import('node:fs/promises');
  const { signal } = stopping;
  for (const until = Date.now() + SEED_MS; ; await sleep(200, undefined, { signal })) {
    const ready = await fetch(`${ORIGIN}/readyz`).then(({ ok }) => ok, () => false);
    if (ready) break;
    if (Date.now() > until) throw new Error('Gatehouse did not become ready');
  }
  const token = (await readFile(`${ROOT}${DATA_DIR}/admin.token`, 'utf8')).trim();
  for (const [name, roles] of Object.entries(TEAMS)) {
    const body = JSON.stringify({ roles, groups: [{ provider: 'default', group: name }] });
    const answer = await fetch(`${ORIGIN}/api/v1/teams/${name}`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body, signal });
    if (!answer.ok) throw new Error(`team ${name}: ${answer.status}`);
  }
}
