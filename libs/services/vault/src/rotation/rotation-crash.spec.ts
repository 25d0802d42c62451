import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Database } from '@gatehouse/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { VaultConfig } from '../vault-config.js';
import { secretsMoved, VaultStage, type Binding } from './vault-stage.conformance.js';

const HOOKS = fileURLToPath(new URL('../../../../persistence/src/typescript-hooks.mjs', import.meta.url));
const PROCESS = fileURLToPath(new URL('./rewrap-process.mjs', import.meta.url));
// Ten of them: node tools/bench/vault-rotation.mjs.
const KILLS = 2;

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

/** Whether some secrets are under one key and some under another. */
async function isBetweenKeys(): Promise<boolean> {
  return (await db.query('SELECT DISTINCT substring(blob FROM 6 FOR 4) FROM credential_fields')).length > 1;
}

/** Runs a vault that moves secrets and keys, and kills it with SIGKILL a moment after the first secrets were moved. */
async function killWhileMoving(config: Partial<VaultConfig>, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', HOOKS, PROCESS, JSON.stringify({ database, config: { environment: 'production', ...config } })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const began = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!began) throw new Error('the vault did not start');
  for (const limit = performance.now() + 10_000; !(await isBetweenKeys()) && performance.now() < limit; );
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await ended;
}

describe('a vault that is killed while it moves secrets and keys', () => {
  it('leaves every row readable each time, and the last one ends the move (V-04)', async () => {
    const [one, two] = [await stage.newKeyFile(), await stage.newKeyFile()];
    const reader = await stage.start(database, { kekFile: one, kekPreviousFile: two });
    const bindings: [string, Binding][] = [];
    for (let at = 0; at < 120; at++) bindings.push([`value-${at}`, await reader.store(`value-${at}`)]);
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // Each has the other's key-encryption key as the one before, so each begins by moving every key over.
      await killWhileMoving(kill % 2 === 0 ? { kekFile: two, kekPreviousFile: one } : { kekFile: one, kekPreviousFile: two }, kill * 3);
      interrupted += (await isBetweenKeys()) ? 1 : 0;
      expect(await Promise.all(bindings.map(([, binding]) => reader.lease(binding)))).toEqual(bindings.map(([value]) => value));
    }
    // Otherwise nothing was interrupted and nothing shown.
    expect(interrupted).toBeGreaterThanOrEqual(1);
    await reader.close();
    const last = await stage.start(database, { kekFile: one, kekPreviousFile: two });
    await last.until((progress) => secretsMoved(progress) && progress.root.others.length === 0);
    for (const [value, binding] of bindings) expect(await last.lease(binding)).toBe(value);
    await last.close();
  }, 180_000);
});
