import { createHash, randomBytes } from 'node:crypto';
import { selfSigned } from './certificate.mjs';
import { GROUP, newPassword, SecretFolder } from './secret-folder.mjs';

const WITH_DATABASE = ['auth', 'vault', 'policy', 'audit'];
const ON_THE_BUS = ['gateway', ...WITH_DATABASE];
const WITH_REDIS = ['gateway', 'auth'];
const KEY_BYTES = 32;
// What libs/ephemeral and its client need: plain keys that expire, and the questions of a connection.
const REDIS_RIGHTS = 'resetkeys ~gatehouse:* resetchannels -@all +get +set +getdel +del +ping +info +auth +hello +select +client|setname';

/**
 * Makes every secret of an installation that is not there yet, and nothing else: a second run changes
 * nothing, a run that was cut off is taken up. Each password has one file that decides and one that
 * follows from it, on the other side. Prints names, never values.
 */
export async function initSecrets(env) {
  const folder = new SecretFolder(env.INIT_SECRETS_DIR);
  await folder.keep('vault/kek.key', () => randomBytes(KEY_BYTES).toString('base64'));
  await folder.keep('auth/admin.token', newPassword);
  await databasePasswords(folder, env.INIT_POSTGRES);
  await busPasswords(folder, env.INIT_NATS);
  await redisPasswords(folder, env.INIT_REDIS);
  await authCertificate(folder, env.INIT_AUTH);
  process.stdout.write('secrets are there\n');
  return 0;
}

async function databasePasswords(folder, address) {
  await folder.keep('postgres/superuser.password', newPassword, GROUP);
  for (const service of WITH_DATABASE) {
    const password = await folder.keep(`postgres/${service}.password`, newPassword, GROUP);
    await folder.set(`${service}/database.url`, `postgres://${service}:${password}@${address}/gatehouse`);
  }
}

async function busPasswords(folder, address) {
  const lines = [];
  for (const service of ON_THE_BUS) {
    const url = await folder.keep(`${service}/nats.url`, () => `nats://${service}:${newPassword()}@${address}`);
    lines.push(`${service}_password: ${JSON.stringify(passwordIn(url))}\n`);
  }
  await folder.set('nats/passwords.conf', lines.join(''), GROUP);
}

// Redis itself learns only what the passwords hash to.
async function redisPasswords(folder, address) {
  const users = ['user default off resetpass resetkeys -@all'];
  for (const service of WITH_REDIS) {
    const url = await folder.keep(`${service}/redis.url`, () => `redis://${service}:${newPassword()}@${address}`);
    users.push(`user ${service} on #${createHash('sha256').update(passwordIn(url)).digest('hex')} ${REDIS_RIGHTS}`);
  }
  await folder.set('redis/users.acl', `${users.join('\n')}\n`, GROUP);
}

// Between edge and auth travel cookies and codes. The certificate answers for itself alone and can sign no other.
async function authCertificate(folder, names) {
  if ((await folder.read('gateway/auth.crt')) !== undefined) return;
  const { key, cert } = selfSigned(names.split(','));
  await folder.set('auth/tls.key', key);
  await folder.set('auth/tls.crt', cert);
  await folder.set('gateway/auth.crt', cert);
}

function passwordIn(url) {
  return new URL(url).password;
}
