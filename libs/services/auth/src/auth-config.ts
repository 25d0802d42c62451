import { FIELDS, listenAddress, type Field } from '@gatehouse/config';
import { z } from 'zod';
import { signInConfigFields, type SignInConfig } from './sign-in/sign-in-config.js';

/** Configuration of auth. */
export const authConfigFields = {
  adminTokenFile: {
    env: 'GATEHOUSE_ADMIN_TOKEN_FILE',
    schema: z.string().min(1).optional(),
    describe:
      'File with the first administrator token: one line, at least 32 random characters, mode 0600. Read while no token was ever made, ignored afterwards. Without it the single-process form mints one into admin.token of its data directory.',
  },
  ...signInConfigFields,
} as const satisfies Record<string, Field>;

/** Where auth listens for edges of other processes. */
export const authListenFields = {
  authListen: {
    env: 'GATEHOUSE_AUTH_LISTEN',
    schema: listenAddress(),
    default: '127.0.0.1:8081',
    describe: 'Address and port on which auth answers edges for sign-in, OAuth and SCIM; only edges need to reach it.',
  },
  tlsCertFile: FIELDS.tlsCertFile,
  tlsKeyFile: FIELDS.tlsKeyFile,
} as const satisfies Record<string, Field>;

/** Auth's part of the configuration. */
export interface AuthConfig extends SignInConfig {
  adminTokenFile?: string | undefined;
}
