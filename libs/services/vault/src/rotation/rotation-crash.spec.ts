import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Database } from '@gatehouse/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { VaultConfig } from '../vault-config.js';
import { secretsMoved, VaultStage, type Binding } from './vault-stage.conformance.js';

const HOOKS = fileURLToPath(new URL('../../../../persistence/src/typescript-hooks.mjs', import.meta.url));
const PROCESS = fileURLToPath(new URL('./rewrap-process.mjs', import.meta.url));
const KILLS = 10;

let stage: VaultStage;
let database: string;
let db: Database;

beforeAll(async () => {
  stage = await VaultStage.open();
  database = await stage.newDatabase();
  db = await stage.tables(database);
}, 60_000);

afterAll(async () => {
  await db.close();
  await stage.close();
}, 30_000);

/** Runs a vault that moves secrets and keys, and kills it with SIGKILL a moment after it began. */
async function killWhileMoving(config: Partial<VaultConfig>, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', HOOKS, PROCESS, JSON.stringify({ database, config: { environment: 'production', ...config } })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const began = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!began) throw new Error('the vault did not start');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await ended;
}

describe('a vault that is killed while it moves secrets and keys', () => {
  it(`leaves every row readable, ten times of ten, and the next one goes on (V-04)`, async () => {
    let kekFile = await stage.newKeyFile();
    const first = await stage.start(database, { kekFile });
    const values = Array.from({ length: 200 }, (_, at) => `value-${at}`);
    const bindings: [string, Binding][] = [];
    for (const value of values) bindings.push([value, await first.store(value)]);
    await first.close();
    let betweenKeys = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const kekPreviousFile = kekFile;
      kekFile = await stage.newKeyFile();
      await killWhileMoving({ kekFile, kekPreviousFile }, 20 + kill * 45);
      const versions = await db.query('SELECT DISTINCT substring(blob FROM 6 FOR 4) FROM credential_fields');
      betweenKeys += versions.length > 1 ? 1 : 0;
      const vault = await stage.start(database, { kekFile, kekPreviousFile });
      for (const [value, binding] of bindings) expect(await vault.lease(binding)).toBe(value);
      await vault.until((progress) => secretsMoved(progress) && progress.root.others.length === 0);
      await vault.close();
    }
    // Otherwise nothing was interrupted and nothing shown.
    expect(betweenKeys).toBeGreaterThan(0);
    const last = await stage.start(database, { kekFile });
    for (const [value, binding] of bindings) expect(await last.lease(binding)).toBe(value);
    await last.close();
  }, 180_000);
});
