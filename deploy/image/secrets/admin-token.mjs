import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Prints the first administrator's token, for whoever may run containers here. */
export async function adminToken(env) {
  process.stdout.write(`${await readFile(join(env.INIT_SECRETS_DIR, 'auth', 'admin.token'), 'utf8')}\n`);
  return 0;
}
