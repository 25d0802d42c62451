/**
 * The vault's figures: rotation of every key under 200 leases a second, kill -9 in the middle of a
 * move ten times, and every flipped byte and every transplant of stored secrets. Prints one line each
 * and ends with 1 when one does not hold. Runs from the sources, on an embedded PostgreSQL.
 */
import '../../libs/persistence/src/typescript-hooks.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { secretsMoved, VaultStage } = await import('../../libs/services/vault/src/rotation/vault-stage.conformance.ts');

const RATE = 200;
const SECONDS = 20;
const SECRETS = 500;
const KILLS = 10;
const PURPOSES = ['credential', 'session', 'entry', 'digest', 'policy-signing', 'directory-signing'];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const stage = await VaultStage.open();
try {
  const database = await stage.newDatabase();
  const [one, two] = [await stage.newKeyFile(), await stage.newKeyFile()];
  const first = await stage.start(database, { kekFile: one, kekPreviousFile: two });
  const secrets = [];
  for (let at = 0; at < SECRETS; at++) secrets.push([`value-${at}`, await first.store(`value-${at}`)]);
  await rotationUnderLoad(first, database, secrets, [one, two]);
  await killed(first, database, secrets, [one, two]);
  await alteredAndMoved(first, database, secrets);
  await first.close();
} finally {
  await stage.close();
}

function say(name, figures, holds) {
  process.stdout.write(`${holds ? 'holds' : 'FAILS'}  ${name}: ${figures}\n`);
  if (!holds) process.exitCode = 1;
}

async function rotationUnderLoad(first, database, secrets, [one, two]) {
  const second = await stage.start(database, { kekFile: one, kekPreviousFile: two });
  const took = [];
  const load = { isOver: false };
  const leasing = leaseSteadily([first, second], secrets, { load, took });
  const began = performance.now();
  let rotations = 0;
  for (let round = 0; performance.now() - began < SECONDS * 1_000; round++) {
    for (const what of PURPOSES) rotations += (await first.rotate(what)).rotated ? 1 : 0;
    await first.until(secretsMoved, 60_000);
    // Another root each round: a replica with the two key files the other way round moves every key over.
    const third = await stage.start(database, round % 2 === 0 ? { kekFile: two, kekPreviousFile: one } : { kekFile: one, kekPreviousFile: two });
    await third.until(({ root }) => root.others.length === 0, 60_000);
    await third.close();
    rotations += 1;
  }
  load.isOver = true;
  const { asked, failed } = await leasing;
  await second.close();
  took.sort((a, b) => a - b);
  const rate = (asked / (performance.now() - began)) * 1_000;
  const at = (share) => took[Math.floor(took.length * share)].toFixed(1);
  say(`${rotations} rotations under load`, `${asked} leases, ${rate.toFixed(0)}/s, ${failed} failed, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`, failed === 0 && rate > RATE * 0.9);
}

async function leaseSteadily(replicas, secrets, { load, took }) {
  let [asked, failed] = [0, 0];
  const pending = new Set();
  for (const began = performance.now(); !load.isOver; asked++) {
    const [value, binding] = secrets[asked % secrets.length];
    const from = performance.now();
    const lease = replicas[asked % replicas.length].lease(binding).then(
      (got) => {
        failed += got === value ? 0 : 1;
        took.push(performance.now() - from);
      },
      () => void (failed += 1),
    );
    pending.add(lease);
    void lease.then(() => pending.delete(lease));
    // Late ones follow at once, so that the rate holds on average; a timer between each would not keep up.
    const early = began + ((asked + 1) * 1_000) / RATE - performance.now();
    if (early > 1) await pause(early);
    else if (asked % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
  return { asked, failed };
}

async function killed(reader, database, secrets, [one, two]) {
  let [unreadable, interrupted] = [0, 0];
  const db = await stage.tables(database);
  for (let kill = 0; kill < KILLS; kill++) {
    const config = { environment: 'production', ...(kill % 2 === 0 ? { kekFile: two, kekPreviousFile: one } : { kekFile: one, kekPreviousFile: two }) };
    await killOne(JSON.stringify({ database, config }), 10 + kill * 40);
    interrupted += (await db.query('SELECT DISTINCT substring(blob FROM 6 FOR 4) FROM credential_fields')).length > 1 ? 1 : 0;
    for (const [value, binding] of secrets) unreadable += (await reader.lease(binding).catch(() => undefined)) === value ? 0 : 1;
  }
  await db.close();
  say(`kill -9 ${KILLS} times`, `${interrupted} in the middle of a move, ${SECRETS * KILLS} secrets read, ${unreadable} unreadable`, unreadable === 0 && interrupted > 0);
}

async function killOne(settings, afterMs) {
  const script = path('../../libs/services/vault/src/rotation/rewrap-process.mjs');
  const child = spawn(process.execPath, ['--import', path('../../libs/persistence/src/typescript-hooks.mjs'), script, settings], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  if ((await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])) === undefined) throw new Error('the vault did not start');
  await pause(afterMs);
  child.kill('SIGKILL');
  await ended;
}

async function alteredAndMoved(vault, database, secrets) {
  const db = await stage.tables(database);
  const put = ({ identityId }, blob) => db.query('UPDATE credential_fields SET blob = $2 WHERE identity_id = $1', [identityId, blob]);
  const blobOf = async ({ identityId }) => (await db.query('SELECT blob FROM credential_fields WHERE identity_id = $1', [identityId]))[0].blob;
  const opens = (binding) => vault.lease(binding).then(() => 1, () => 0);
  const few = secrets.slice(0, 12).map(([, binding]) => binding);
  const blobs = await Promise.all(few.map(blobOf));
  let [flips, transplants, opened] = [0, 0, 0];
  for (let at = 0; at < blobs[0].length; at++, flips++) {
    const altered = Buffer.from(blobs[0]);
    altered[at] ^= 1 << at % 8;
    await put(few[0], altered);
    opened += await opens(few[0]);
  }
  await put(few[0], blobs[0]);
  for (const [to, binding] of few.entries()) {
    for (const [from, blob] of blobs.entries()) {
      if (from === to) continue;
      await put(binding, blob);
      opened += await opens(binding);
      transplants += 1;
    }
    await put(binding, blobs[to]);
  }
  await db.close();
  say('altered and moved blobs', `${flips} flipped bytes, ${transplants} transplants, ${opened} opened`, opened === 0);
}
