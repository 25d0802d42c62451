import { integer, parseListen, type Field } from '@gatehouse/config';
import { Fault } from '@gatehouse/kernel';

/** What one edge is told when it starts. */
export interface GatewaySettings {
  listen: { host: string; port: number };
  publicUrl: URL;
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

const DIRECTORY_MAX_AGE_MS = 30_000;
const PORTS: Readonly<Record<string, number>> = { 'nats:': 4222, 'tls:': 4222, 'redis:': 6379, 'rediss:': 6379, 'postgres:': 5432, 'postgresql:': 5432 };

/** Settings as configured. */
interface Configured {
  /** `host:port`, like the metrics listener's. */
  listen: string;
  publicUrl?: string | undefined;
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
  const { policyMaxAgeMs, upstreamHeadMs, upstreamSilenceMs, spoolDir, trustedCas } = config;
  const [listen, metrics] = [config.listen, config.metricsListen].map(addressOf) as [Address, Address];
  const publicUrl = new URL(config.publicUrl ?? `http://${config.listen}`);
  const ports = config.ownUrls.flatMap((text) => text.split(',')).map(portOf);
  const ownPorts = [...new Set([listen.port, metrics.port, ...ports])].filter((port) => port > 0);
  return { listen, publicUrl, spoolDir, trustedCas, policyMaxAgeMs, upstreamHeadMs, upstreamSilenceMs, ownPorts, directoryMaxAgeMs: DIRECTORY_MAX_AGE_MS };
}

type Address = { host: string; port: number };

function addressOf(text: string): Address {
  const address = parseListen(text);
  if (address === undefined) throw new Fault(`${text} is not host:port`);
  return address;
}

function portOf(text: string): number {
  const url = new URL(text);
  return url.port === '' ? (PORTS[url.protocol] ?? 0) : Number(url.port);
}
