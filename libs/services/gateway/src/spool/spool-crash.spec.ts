import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { auditContracts } from '@gatehouse/contracts';
import { sampleIntent, sampleRefusal } from './sample-entries.js';
import { Spool } from './spool.js';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const HOOKS = path('../../../../persistence/src/typescript-hooks.mjs');
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a spool after a crash', () => {
  let dir: string;
  let complaints: string[];
  const log = {
    info: () => undefined,
    warn: (_fields: object, message: string) => void complaints.push(message),
    error: (_fields: object, message: string) => void complaints.push(message),
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
    complaints = [];
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  const entriesOf = async (spool: Spool): Promise<auditContracts.SpoolEntry[]> => {
    const entries: auditContracts.SpoolEntry[] = [];
    spool.startShipping(async (shipment) => {
      for (const { body } of shipment.entries) entries.push(auditContracts.spoolEntry.parse(JSON.parse(body)));
      return { upTo: shipment.entries.at(-1)?.seq ?? 0 };
    });
    expect(await spool.drain(20_000)).toBe(true);
    return entries;
  };

  const segmentFiles = async (): Promise<string[]> => (await readdir(dir)).filter((name) => name.endsWith('.log')).sort().map((name) => join(dir, name));

  /** Runs the write loop and kills it in the middle; resolves to the intents it had acknowledged. */
  const writeAndKill = async (afterLines: number): Promise<string[]> => {
    const child = spawn(process.execPath, ['--import', HOOKS, path('./write-loop.mjs'), dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.split('\n').length > afterLines) child.kill('SIGKILL');
    });
    await once(child, 'close');
    return said.split('\n').slice(0, -1).map((line) => line.slice(2));
  };

  it('has every acknowledged intent, in order, and closes the open ones once, however often it is killed', async () => {
    const acknowledged: string[] = [];
    for (let round = 1; round <= 5; round += 1) acknowledged.push(...(await writeAndKill(round * 400)));
    const spool = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(spool);
    await spool.close();
    expect(entries.map(({ origin }) => origin.seq)).toEqual(entries.map((_, i) => i + 1));
    const intents = entries.filter(({ phase }) => phase === 'intent').map(({ callId }) => callId);
    const outcomes = entries.filter(({ phase }) => phase === 'outcome').map(({ callId }) => callId);
    expect(acknowledged.length).toBeGreaterThan(1_000);
    const known = new Set(intents);
    expect(acknowledged.filter((callId) => !known.has(callId))).toEqual([]);
    expect(new Set(outcomes).size).toBe(outcomes.length);
    expect([...outcomes].sort()).toEqual([...intents].sort());
  }, 120_000);

  it('is refused to a second process while the first lives', async () => {
    const child = spawn(process.execPath, ['--import', HOOKS, path('./write-loop.mjs'), dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      await expect(Spool.open({ dir, log })).rejects.toThrow('in use');
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await (await Spool.open({ dir, log })).close();
  }, 60_000);

  it('cuts a torn write at the end and keeps the rest', async () => {
    await leaveBehind(dir, ['one', 'two']);
    const [file] = await segmentFiles();
    const whole = await readFile(file!);
    await writeFile(file!, whole.subarray(0, whole.length - 7));
    const spool = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(spool);
    await spool.close();
    expect(entries.map(({ phase, callId, origin }) => [phase, callId, origin.seq])).toEqual([['intent', 'one', 1], ['outcome', 'one', 2]]);
    expect(complaints[0]).toContain('torn end');
  });

  it('treats zeros at the end as a torn write', async () => {
    await leaveBehind(dir, ['one']);
    await appendFile((await segmentFiles())[0]!, Buffer.alloc(4_096));
    const spool = await Spool.open({ dir, log });
    await spool.close();
    expect(spool.figures().damaged).toBe(0);
    expect(spool.figures().lastSeq).toBe(2);
  });

  it('reports damage in the middle, keeps the file, and ships all other entries', async () => {
    await leaveBehind(dir, ['one', 'two', 'three']);
    const [file] = await segmentFiles();
    const bytes = await readFile(file!);
    bytes[bytes.indexOf('two')] = 0x58;
    await writeFile(file!, bytes);
    const spool = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(spool);
    await spool.close();
    expect(entries.map(({ callId, origin }) => [callId, origin.seq])).toEqual([['one', 1], ['three', 3], ['one', 4], ['three', 5]]);
    expect(complaints.some((line) => line.includes('damaged'))).toBe(true);
    expect(await readFile(join(dir, 'quarantine', '0000000000000001.log'))).toEqual(bytes);
    const again = await Spool.open({ dir, log });
    await again.close();
    expect(again.figures().damaged).toBe(0);
  });

  it('finds its way after a damaged length', async () => {
    await leaveBehind(dir, ['one', 'two', 'three']);
    const [file] = await segmentFiles();
    const bytes = await readFile(file!);
    bytes.writeUInt32BE(3, 0);
    await writeFile(file!, bytes);
    const spool = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(spool);
    await spool.close();
    expect(entries.map(({ origin }) => origin.seq)).toEqual([2, 3, 4, 5]);
  });

  it('closes open calls once although it crashes in the middle of that', async () => {
    await leaveBehind(dir, ['one', 'two', 'three']);
    const before = (await segmentFiles())[0]!;
    await (await Spool.open({ dir, log: quiet })).close();
    const recovery = (await segmentFiles()).find((file) => file !== before)!;
    const closings = await readFile(recovery);
    // Power was lost when one and a half of the three closing entries had reached the disk.
    await truncate(recovery, Math.floor(closings.length / 2));
    const spool = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(spool);
    await spool.close();
    const outcomes = entries.flatMap((entry) => (entry.phase === 'outcome' ? [[entry.callId, entry.outcome.status]] : []));
    expect(outcomes.sort()).toEqual([['one', 'unknown'], ['three', 'unknown'], ['two', 'unknown']]);
  });

  it('remembers an open call whose segment is confirmed and gone', async () => {
    const first = await Spool.open({ dir, log, lingerMs: 0, segmentBytes: 4_096 });
    await first.intent(sampleIntent('long'));
    for (let i = 0; i < 20; i += 1) await first.single(sampleRefusal(`refusal ${i}`));
    await entriesOf(first);
    await first.close();
    expect((await segmentFiles()).length).toBeLessThanOrEqual(1);
    const second = await Spool.open({ dir, log, lingerMs: 0 });
    const entries = await entriesOf(second);
    await second.close();
    expect(entries).toMatchObject([{ phase: 'outcome', callId: 'long', outcome: { status: 'unknown' }, origin: { seq: 22 } }]);
    const third = await Spool.open({ dir, log, lingerMs: 0 });
    expect(await entriesOf(third)).toEqual([]);
    await third.close();
  });

  it('becomes another edge when its entries and its position are gone', async () => {
    const first = await Spool.open({ dir, log });
    await first.single(sampleRefusal('one'));
    await first.close();
    for (const name of await readdir(dir)) if (name !== 'edge.id') await rm(join(dir, name), { recursive: true });
    const second = await Spool.open({ dir, log });
    await second.close();
    expect(second.edge).not.toBe(first.edge);
  });
});

/** A spool that was left with open calls, as by a crash: closing it writes nothing about them. */
async function leaveBehind(dir: string, callIds: readonly string[]): Promise<void> {
  const spool = await Spool.open({ dir, log: quiet });
  for (const callId of callIds) await spool.intent(sampleIntent(callId));
  await spool.close();
}
