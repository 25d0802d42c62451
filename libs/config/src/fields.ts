import { resolve } from 'node:path';
import { z } from 'zod';
import type { Field } from './config-schema.js';
import { isLoopback, listenAddress, oneOf, parseUrl, urlOf } from './text-schemas.js';

/** Passwords that stand in examples and images: whoever forgot to change one must not go live with it. */
const EXAMPLE_PASSWORDS = ['postgres', 'password', 'gatehouse', 'changeme', 'change-me', 'secret', 'admin', 'example', 'root'];

const databaseUrl = urlOf('postgres', 'postgresql').refine(
  (text) => hasOwnPassword(text),
  'uses a password that everybody knows; choose another one',
);

function hasOwnPassword(text: string): boolean {
  const url = parseUrl(text);
  return url === undefined || isLoopback(url.hostname) || !EXAMPLE_PASSWORDS.includes(url.password.toLowerCase());
}

const publicUrl = z
  .string()
  .refine((text) => isOrigin(text), 'must be an http or https URL without path, user or query')
  .refine((text) => isSafeOrigin(text), 'must be https: tokens would travel readable; http is for loopback only')
  .transform((text) => new URL(text).origin);

function isOrigin(text: string): boolean {
  const url = parseUrl(text);
  return url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
}

function isSafeOrigin(text: string): boolean {
  const url = parseUrl(text);
  return url === undefined || url.protocol === 'https:' || isLoopback(url.hostname);
}

/** Where the process listens. */
export function listenField(address: string) {
  return { env: 'GATEHOUSE_LISTEN', schema: listenAddress(), default: address, describe: 'Address and port to listen on.' } as const satisfies Field;
}

/** Settings that several services share, each declared once. */
export const FIELDS = {
  publicUrl: {
    env: 'GATEHOUSE_PUBLIC_URL',
    schema: publicUrl.optional(),
    describe: 'The address under which people and clients reach Gatehouse; http:// and the listen address unless set.',
  },
  dataDir: {
    env: 'GATEHOUSE_DATA_DIR',
    schema: z.string().transform((text) => resolve(text)),
    default: '.gatehouse',
    describe: 'Directory for everything that is kept on disk; made with mode 0700.',
  },
  natsUrl: {
    env: 'GATEHOUSE_NATS_URL',
    schema: urlOf('nats', 'tls').optional(),
    secret: true,
    describe: 'NATS server with JetStream; without it the services of one process talk in memory.',
  },
  redisUrl: {
    env: 'GATEHOUSE_REDIS_URL',
    schema: urlOf('redis', 'rediss').optional(),
    secret: true,
    describe: 'Redis for state that replicas share and may lose; without it each process keeps its own in memory.',
  },
  databaseUrl: {
    env: 'GATEHOUSE_DATABASE_URL',
    schema: databaseUrl.optional(),
    secret: true,
    describe: 'PostgreSQL 15 to 18; without it an embedded one runs in the data directory.',
  },
  metricsListen: {
    env: 'GATEHOUSE_METRICS_LISTEN',
    schema: listenAddress(),
    default: '127.0.0.1:9464',
    describe: 'Address and port of /metrics, /livez, /readyz and /startupz.',
  },
  logLevel: {
    env: 'GATEHOUSE_LOG_LEVEL',
    schema: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
    describe: 'The least severe log lines to write.',
  },
  caFile: {
    env: 'GATEHOUSE_CA_FILE',
    schema: z.string().optional(),
    describe: 'PEM file with certificate authorities to trust besides the built-in ones.',
  },
  tlsCertFile: {
    env: 'GATEHOUSE_TLS_CERT_FILE',
    schema: z.string().optional(),
    describe: 'PEM file with the certificate chain to serve; read again when it changes.',
  },
  tlsKeyFile: {
    env: 'GATEHOUSE_TLS_KEY_FILE',
    schema: z.string().optional(),
    describe: 'PEM file with the private key of the certificate; read again when it changes.',
  },
} as const satisfies Record<string, Field>;

/** The same setting where there is no substitute, so that it must be set; its sentence loses the part after the semicolon. */
export function required<Z extends z.ZodType, F extends Field<z.ZodOptional<Z>>>(field: F & { schema: z.ZodOptional<Z> }) {
  const describe = field.describe.replace(/;.*$/, '.');
  return { ...field, schema: field.schema.unwrap(), describe } as Omit<F, 'schema'> & { schema: Z };
}
