import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { syncFolder } from './disk.js';

const position = z.strictObject({
  v: z.literal(1),
  edge: z.string(),
  /** Everything up to here is in the audit database. */
  upTo: z.int().min(0),
  /** Calls still running whose intents were in segments that are gone. */
  open: z.array(z.string()),
});

const RESERVE_BYTES = 256 * 1024;

/** How far the audit service has confirmed, and what must be remembered of deleted segments. */
export type Position = z.infer<typeof position>;

/** The file `position.json` of a spool folder, replaced as a whole. */
export class PositionFile {
  private readonly path: string;
  private readonly reserve: string;

  constructor(private readonly dir: string) {
    this.path = join(dir, 'position.json');
    this.reserve = join(dir, 'reserve');
  }

  /** What was saved last, or `undefined` when there is nothing readable (entries are then shipped again). */
  async load(): Promise<Position | undefined> {
    // Unreadable is the same as never saved.
    const text = await readFile(this.path, 'utf8').catch(() => '');
    const parsed = position.safeParse(safeJson(text));
    return parsed.success ? parsed.data : undefined;
  }

  /**
   * Durable when it resolves. On a full disk the reserve is given up first: without saving the position no
   * segment can go, and nothing would ever make room again.
   */
  async save(value: Omit<Position, 'v'>): Promise<void> {
    const text = JSON.stringify({ v: 1, ...value });
    try {
      await replaceFile(this.dir, this.path, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      await rm(this.reserve, { force: true });
      await replaceFile(this.dir, this.path, text);
    }
  }

  /** Puts the reserve in place, where there is room. */
  async keepReserve(): Promise<void> {
    // Without it only the way out of a full disk is narrower.
    await replaceFile(this.dir, this.reserve, Buffer.alloc(RESERVE_BYTES, 1)).catch(() => undefined);
  }
}

/** Replaces a file so that after a crash the old or the new one is there, whole. */
export async function replaceFile(dir: string, path: string, content: string | Buffer): Promise<void> {
  const draft = `${path}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dir);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Missing or damaged: the same as never saved.
    return undefined;
  }
}
