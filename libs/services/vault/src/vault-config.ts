import type { Field } from '@gatehouse/config';
import { z } from 'zod';

/** Configuration of the vault. */
export const vaultConfigFields = {
  kekFile: {
    env: 'GATEHOUSE_KEK_FILE',
    schema: z.string().min(1).optional(),
    describe:
      'File with the 32-byte key-encryption key (raw, base64 or hex; mode 0600, no symbolic link). Without it the single-process form keeps one in its data directory; the vault on its own refuses to start.',
  },
  environment: {
    env: 'GATEHOUSE_ENVIRONMENT',
    schema: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/),
    default: 'production',
    describe:
      'Name of this deployment, bound into every sealed secret: a database copied from another environment does not open here. Changing it later makes stored secrets unreadable.',
  },
} as const satisfies Record<string, Field>;

/** The vault's part of the configuration. */
export interface VaultConfig {
  kekFile?: string | undefined;
  environment: string;
}
