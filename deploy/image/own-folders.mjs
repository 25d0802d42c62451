import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const PRIVATE = 0o700;
// Stores read their secrets as members of our group.
const WITH_GROUP = 0o750;
const FOLDERS = {
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

/** Makes the folders over which volumes are mounted; an empty volume takes owner and mode from them. */
export async function ownFolders(root) {
  for (const [name, mode] of Object.entries(FOLDERS)) {
    await mkdir(join(root, name), { recursive: true });
    await chmod(join(root, name), mode);
  }
}

await ownFolders(process.argv[2]);
