import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Only the service, which runs under our user, reads it. */
export const OWN = 0o600;
/** A store runs under another user and reads it as a member of our group. */
export const GROUP = 0o440;
const PASSWORD_BYTES = 32;

/** A password that needs no escaping in a URL, in SQL or in a configuration file. */
export function newPassword() {
  return randomBytes(PASSWORD_BYTES).toString('base64url');
}

/** The files of all services and stores, a folder each; what is there stays. */
export class SecretFolder {
  constructor(root) {
    this.root = root;
  }

  /** The text of a file, or undefined when there is none; anything else that keeps it from being read is an error. */
  async read(name) {
    try {
      return await readFile(join(this.root, name), 'utf8');
    } catch (error) {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The text of the file; made first when there is none. */
  async keep(name, make, mode = OWN) {
    const before = await this.read(name);
    if (before !== undefined) return before;
    const text = make();
    await this.#write(name, text, mode);
    return text;
  }

  /** Makes the file say this: for what follows from another file. */
  async set(name, text, mode = OWN) {
    if ((await this.read(name)) !== text) await this.#write(name, text, mode);
  }

  // Whole or not at all: a start that is cut off must not leave half a key, which the next one would keep.
  async #write(name, text, mode) {
    const path = join(this.root, name);
    const draft = `${path}.${randomBytes(4).toString('hex')}`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, text, { mode, flush: true });
    await rename(draft, path);
  }
}
