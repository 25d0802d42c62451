import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readSecretFile } from '@gatehouse/config';
import { authContracts } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';
import { isTokenText } from '../tokens/token-text.js';
import { weakTokenReason } from './weak-token.js';

/** `token68` of RFC 9110 section 11.2: what a bearer token may be made of. */
const BEARER = /^[A-Za-z0-9._~+/-]+=*$/;

/** A token file and who named it, for the one line that refuses it. */
export interface TokenFile {
  path: string;
  /** `GATEHOUSE_ADMIN_TOKEN_FILE`, or the data directory. */
  namedBy: string;
}

/**
 * The administrator's token from a file of one line, as bytes to be wiped; undefined when there is
 * no file. Throws a `Fault` with one clear line for a file that others may read, a token that is
 * too short or a placeholder, or one of ours that was mistyped.
 */
export function readTokenFile({ path, namedBy }: TokenFile): Buffer | undefined {
  if (!existsSync(path)) return undefined;
  const content = readSecretFile(path);
  if ('problem' in content) throw new Fault(`${namedBy} ${content.problem}`);
  const problem = tokenProblem(content.text);
  if (problem !== undefined) throw new Fault(`${namedBy} names ${path}, whose token is refused: ${problem}`);
  return Buffer.from(content.text, 'ascii');
}

/** Writes a token file of mode 0600; it appears whole or not at all. Throws when there is a file already. */
export async function createTokenFile(path: string, token: Buffer): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurably(draft, Buffer.concat([token, Buffer.from('\n')]));
  try {
    await link(draft, path);
  } finally {
    await unlink(draft);
  }
}

function tokenProblem(text: string): string | undefined {
  if (text.startsWith(authContracts.TOKEN_PREFIX)) return isTokenText(text) ? undefined : 'it is mistyped (its checksum does not fit)';
  return BEARER.test(text) ? weakTokenReason(text) : 'it must be one line of letters, digits and -._~+/=';
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    content.fill(0);
    await file.close();
  }
}
