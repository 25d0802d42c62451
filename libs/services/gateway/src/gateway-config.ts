import { httpUrl, integer, isLoopback, ownPorts, parseListen, type Field } from '@gatehouse/config';
import { Fault } from '@gatehouse/kernel';

/** What one edge is told when it starts. */
export interface GatewaySettings {
  listen: { host: string; port: number };
  publicUrl: URL;
  /** Where auth's listener is; left out where it runs in the same process. */
  authUrl?: URL | undefined;
  /** Folder of the audit spool. */
  spoolDir: string;
  /** Ports of Gatehouse itself, which no upstream URL may lead to. */
  ownPorts: readonly number[];
  /** How old the last word of policy may be. */
  policyMaxAgeMs: number;
  /** How long revocations may be unheard of on both paths. */
  directoryMaxAgeMs: number;
  /** PEM texts of authorities trusted besides the well-known ones. */
  trustedCas: readonly string[];
  /** How long an upstream may take until the head of its answer. */
  upstreamHeadMs: number;
  /** How long an upstream may be silent inside an answer. */
  upstreamSilenceMs: number;
}

/** Configuration of an edge beyond what all services share. */
export const gatewayConfigFields = {
  policyMaxAgeMs: {
    env: 'GATEHOUSE_POLICY_MAX_AGE_MS',
    schema: integer({ min: 1_000, max: 86_400_000 }),
    default: '900000',
    unit: 'ms',
    describe: 'How long an edge decides from its last policy snapshot when it hears nothing of the policy service; then calls are refused with policy_stale.',
  },
  upstreamHeadMs: {
    env: 'GATEHOUSE_UPSTREAM_HEAD_MS',
    schema: integer({ min: 100, max: 3_600_000 }),
    default: '60000',
    unit: 'ms',
    describe: 'How long a server may take until the head of its answer arrives; then the call is refused with upstream_timeout.',
  },
  upstreamSilenceMs: {
    env: 'GATEHOUSE_UPSTREAM_SILENCE_MS',
    schema: integer({ min: 100, max: 3_600_000 }),
    default: '300000',
    unit: 'ms',
    describe: 'How long a server may be silent inside the answer to a call; then the answer is cut with upstream_timeout.',
  },
} as const satisfies Record<string, Field>;

/** Where an edge of its own process finds auth. */
export const authUrlField = {
  env: 'GATEHOUSE_AUTH_URL',
  schema: httpUrl()
    .refine((text) => !URL.canParse(text) || `${new URL(text).origin}/` === new URL(text).href, 'must be an address without path or query')
    .refine((text) => !URL.canParse(text) || isSafe(new URL(text)), 'must be https: cookies and tokens would travel readable; http is for loopback only'),
  describe: 'Address of the listener of auth (GATEHOUSE_AUTH_LISTEN there), to which sign-in, authorization and provisioning are passed on.',
} as const satisfies Field;

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname);
}

const DIRECTORY_MAX_AGE_MS = 30_000;

/** Settings as configured. */
interface Configured {
  /** `host:port`, like the metrics listener's. */
  listen: string;
  publicUrl?: string | undefined;
  authUrl?: string | undefined;
  metricsListen: string;
  policyMaxAgeMs: number;
  upstreamHeadMs: number;
  upstreamSilenceMs: number;
  spoolDir: string;
  /** URLs of Gatehouse's own stores: an upstream URL that leads there would be a way into them. */
  ownUrls: readonly string[];
  trustedCas: readonly string[];
}

/** The settings of an edge from what is configured. */
export function gatewaySettings(config: Configured): GatewaySettings {
  const authUrl = config.authUrl === undefined ? undefined : new URL(config.authUrl);
  const { policyMaxAgeMs, upstreamHeadMs, upstreamSilenceMs, spoolDir, trustedCas } = config;
  const listen = addressOf(config.listen);
  const publicUrl = new URL(config.publicUrl ?? `http://${config.listen}`);
  const own = ownPorts([config.listen, config.metricsListen], [...config.ownUrls, ...(config.authUrl === undefined ? [] : [config.authUrl])]);
  return { listen, publicUrl, authUrl, spoolDir, trustedCas, policyMaxAgeMs, upstreamHeadMs, upstreamSilenceMs, ownPorts: own, directoryMaxAgeMs: DIRECTORY_MAX_AGE_MS };
}

type Address = { host: string; port: number };

function addressOf(text: string): Address {
  const address = parseListen(text);
  if (address === undefined) throw new Fault(`${text} is not host:port`);
  return address;
}
