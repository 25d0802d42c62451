import { spawn } from 'node:child_process';
import { build, ROOT } from './run-step.mjs';

// A large young generation keeps what one call allocates from ever being copied twice.
const NODE_FLAGS = ['--max-semi-space-size=64', '--enable-source-maps'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const built = await build('apps/gatehouse', 'apps/cli');
if (built !== 0) process.exit(built);

const child = spawn(process.execPath, [...NODE_FLAGS, 'apps/gatehouse/dist/main.js', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  // Ctrl-C reaches a whole foreground group: in a group of its own the child hears each signal once, from here.
  detached: process.platform !== 'win32',
});
for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
