import { Refusal } from '@gatehouse/kernel';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Which Host and Origin headers are answered. Foreign hosts are DNS rebinding, foreign origins are
 * somebody else's page in the browser of one of our people (MCP transports: Origin MUST be validated).
 */
export class Admission {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** `publicUrl` is the one configured; `listen` the address and port bound. */
  constructor(publicUrl: URL, listen: { host: string; port: number }) {
    const names = isLoopback(listen.host) ? LOOPBACK_NAMES : [listen.host];
    const local = names.map((name) => `${name}:${listen.port}`);
    this.#hosts = new Set([publicUrl.host.toLowerCase(), ...local]);
    this.#origins = new Set([publicUrl.origin.toLowerCase(), ...(isLoopback(listen.host) ? local.map((host) => `http://${host}`) : [])]);
  }

  /** The Host alone, for what every page may read. Refuses with `origin_denied`. */
  checkHost(host: string | undefined): void {
    if (host === undefined || !this.#hosts.has(host.toLowerCase())) throw new Refusal('origin_denied', { header: 'host' });
  }

  /** Refuses with `origin_denied`. A missing Origin is no browser and passes. */
  check(host: string | undefined, origin: string | undefined): void {
    this.checkHost(host);
    if (origin !== undefined && !this.#origins.has(origin.toLowerCase())) throw new Refusal('origin_denied', { header: 'origin' });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.');
}
