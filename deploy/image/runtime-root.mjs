import { chmod, cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const USER = 65_532;
const PRIVATE = 0o700;
// Stores read their secrets as members of our group.
const WITH_GROUP = 0o750;
const ANYBODY = 0o1777;
const FOLDERS = {
  tmp: ANYBODY,
  'secrets/gateway': PRIVATE,
  'secrets/auth': PRIVATE,
  'secrets/vault': PRIVATE,
  'secrets/policy': PRIVATE,
  'secrets/audit': PRIVATE,
  'secrets/postgres': WITH_GROUP,
  'secrets/nats': WITH_GROUP,
  'secrets/redis': WITH_GROUP,
  'state/gateway': PRIVATE,
  'state/nats': PRIVATE,
};
const FILES = {
  'etc/passwd': `gatehouse:x:${USER}:${USER}::/state:/none\n`,
  'etc/group': `gatehouse:x:${USER}:\n`,
  'etc/nsswitch.conf': 'hosts: files dns\n',
};

/**
 * Makes the root of an image that holds Node, the libraries it is linked with and nothing else (`root`):
 * no shell, no package manager, no file that gives rights. Beside it the folders that belong to the user
 * containers run as (`owned`): volumes are mounted over them, and an empty one takes owner and mode.
 */
export async function runtimeRoot(target) {
  for (const path of [process.execPath, ...linkedLibraries()]) await take(path, join(target, 'root'));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(target, 'root', name)), { recursive: true });
    await writeFile(join(target, 'root', name), text);
  }
  for (const [name, mode] of Object.entries(FOLDERS)) {
    await mkdir(join(target, 'owned', name), { recursive: true });
    await chmod(join(target, 'owned', name), mode);
  }
}

// As the dynamic linker found them in this very process; the first is the kernel's own and no file.
function linkedLibraries() {
  return process.report.getReport().sharedObjects.filter((path) => path.startsWith('/'));
}

async function take(path, root) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await cp(await realpath(path), join(root, path));
}

await runtimeRoot(process.argv[2]);
