import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CliFailure } from '../failure.js';
import { withLock } from './file-lock.js';

const OTHERS = 0o077;

const heldTokens = z.object({
  accessToken: z.string(),
  /** Null when the authorization server gave none: then the login is over with the access token. */
  refreshToken: z.string().nullable(),
  /** Milliseconds since the epoch. */
  expiresAt: z.number(),
});

const login = z.object({
  issuer: z.string(),
  tokenEndpoint: z.string(),
  revocationEndpoint: z.string().nullable(),
  /** By resource (RFC 8707): a token is for the admin API or for one endpoint. */
  tokens: z.record(z.string(), heldTokens),
});

const content = z.object({ version: z.literal(1), logins: z.record(z.string(), login) });

/** The tokens of one resource. */
export type HeldTokens = z.infer<typeof heldTokens>;

/** What is kept of one Gatehouse. */
export type Login = z.infer<typeof login>;

/** Logins by the address of their Gatehouse. */
export type Logins = Record<string, Login>;

/**
 * The file that `gatehouse login` writes: 0600 in a directory of 0700, replaced as a whole so that a
 * reader never sees half of it. A file that others can read is refused: what is in it may be known.
 */
export class LoginFile {
  constructor(readonly path: string) {}

  /** All logins; none when there is no file. */
  async read(): Promise<Logins> {
    const text = await this.text();
    if (text === undefined) return {};
    const parsed = content.safeParse(parseJson(text));
    if (parsed.success) return parsed.data.logins;
    throw new CliFailure({ message: `${this.path} is not a file of logins`, next: `remove it and sign in again: gatehouse login` });
  }

  /** Changes the logins in place and writes them, with every other process waiting; nothing is written when `work` fails. */
  async change<T>(work: (logins: Logins) => T | Promise<T>): Promise<T> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await chmod(dirname(this.path), 0o700);
    return withLock(`${this.path}.lock`, async () => {
      const logins = await this.read();
      const before = JSON.stringify(logins);
      const result = await work(logins);
      if (JSON.stringify(logins) !== before) await this.write(logins);
      return result;
    });
  }

  private async write(logins: Logins): Promise<void> {
    const half = `${this.path}.${randomBytes(6).toString('hex')}`;
    await writeFile(half, `${JSON.stringify({ version: 1, logins }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(half, this.path);
  }

  private async text(): Promise<string | undefined> {
    const file = await this.opened();
    if (file === undefined) return undefined;
    try {
      await this.refuseReadableByOthers(file);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }

  private async opened(): Promise<FileHandle | undefined> {
    try {
      return await open(this.path, 'r');
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new CliFailure({ message: `cannot read ${this.path} (${code})` });
    }
  }

  private async refuseReadableByOthers(file: FileHandle): Promise<void> {
    const { mode } = await file.stat();
    // Windows has no such modes; the profile's directory is the user's there.
    if (process.platform === 'win32' || (mode & OTHERS) === 0) return;
    throw new CliFailure({
      message: `${this.path} can be read by other users of this machine (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
      next: `chmod 600 ${this.path}; if others may have read it, also gatehouse logout and gatehouse login`,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema that looks at it next says no.
    return undefined;
  }
}
