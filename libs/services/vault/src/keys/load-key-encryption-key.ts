import { Fault } from '@gatehouse/kernel';
import { KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import { createKeyFile, readKeyFile } from './key-file.js';

/** Where the key-encryption key comes from. */
export interface KeyFileLocation {
  path: string;
  /** Embedded form only: make the file when it is missing and nothing was sealed yet. */
  mayCreate: boolean;
}

/**
 * Loads the key-encryption key, or makes it at the very first start. With wrapped keys in the
 * database a missing file is refused: a new key would silently make every secret unreadable.
 */
export async function loadKeyEncryptionKey(at: KeyFileLocation, hasKeys: boolean): Promise<KeyEncryptionKey> {
  const found = await readKeyFile(at.path);
  if (found !== undefined) return new KeyEncryptionKey(found);
  if (hasKeys) throw new Fault(`the key file ${at.path} is missing and the vault's database was sealed with it; put it back`);
  if (!at.mayCreate) throw new Fault(`the key file ${at.path} does not exist; make one with openssl rand -base64 32 and chmod 600 it`);
  return new KeyEncryptionKey(await createKeyFile(at.path));
}
