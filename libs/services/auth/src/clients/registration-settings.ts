import { clientContracts } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';

type Settings = clientContracts.RegistrationSettings;

/** In force until an administrator says otherwise: every client people use today connects without being configured. */
export const FIRST_SETTINGS: Settings = {
  dynamic: 'open',
  metadataDocuments: 'on',
  unusedDays: 30,
  // Cursor is answered at its own scheme and has no other way.
  redirectSchemes: ['cursor'],
  privateHosts: [],
  rules: [],
};

const FRESH_MS = 1_000;

/** How clients may come by themselves: one row, looked at again after a second, so that all replicas follow a change. */
export class RegistrationSettings {
  #held: Settings = FIRST_SETTINGS;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** What was last read: for decisions that cannot wait. `current` is asked before each of them. */
  get held(): Settings {
    return this.#held;
  }

  /** The settings in force. */
  async current(): Promise<Settings> {
    if (this.clock.monotonicMs() - this.#readAt < FRESH_MS) return this.#held;
    const [row] = await this.db.query<{ settings: Settings }>('SELECT settings FROM registration_settings');
    this.#held = row === undefined ? FIRST_SETTINGS : { ...FIRST_SETTINGS, ...row.settings };
    this.#readAt = this.clock.monotonicMs();
    return this.#held;
  }

  /** Replaces them; every replica goes by them within a second. */
  async replace(tx: Transaction, settings: Settings): Promise<void> {
    await tx.query(
      'INSERT INTO registration_settings (settings) VALUES ($1) ON CONFLICT (single) DO UPDATE SET settings = EXCLUDED.settings',
      [settings],
    );
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}

/** What a browser runs, opens as a file or hands to another program: never a place to send a code to. */
const NEVER_A_REDIRECT = ['about', 'blob', 'chrome', 'data', 'file', 'filesystem', 'ftp', 'http', 'https', 'intent', 'javascript', 'mailto', 'sms', 'tel', 'vbscript', 'view-source', 'ws', 'wss'];
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Settings in their one spelling; refuses with `bad_request` a scheme that may never be answered at and a host that is none. */
export function validSettings(settings: Settings): Settings {
  const scheme = settings.redirectSchemes.find((each) => NEVER_A_REDIRECT.includes(each));
  if (scheme !== undefined) throw new Refusal('bad_request', { field: 'redirectSchemes', problem: `${scheme} cannot be a redirect scheme` });
  const privateHosts = [...new Set(settings.privateHosts.map((host) => host.toLowerCase()))];
  const bad = privateHosts.find((host) => !HOST.test(host));
  if (bad !== undefined) throw new Refusal('bad_request', { field: 'privateHosts', problem: 'must be names of hosts, without scheme and port' });
  return { ...settings, privateHosts, redirectSchemes: [...new Set(settings.redirectSchemes)] };
}
