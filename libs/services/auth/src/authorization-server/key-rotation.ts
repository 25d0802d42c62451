import { clientContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { asRefusalOrFault, Refusal, timeOfId, type Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { AuthorizationServer } from './authorization-server.js';
import type { PublicSigningKey, SigningKeys } from './signing-keys.js';

type SigningKey = clientContracts.SigningKey;

/** What `KeyRotation` works with. */
export interface RotationParts {
  keys: SigningKeys;
  server: Pick<AuthorizationServer, 'reload'>;
  log: Logger;
  clock: Clock;
}

const LOOK_EVERY_MS = 60_000;
const LIFE_MS = 30 * 86_400_000;

/**
 * Whether the active key has signed for thirty days. The next key was made when the active one began to
 * sign, so the id of the next one tells how long that is ago.
 */
export function isDue(keys: readonly PublicSigningKey[], nowMs: number): boolean {
  const next = keys.find(({ state }) => state === 'next');
  const since = next === undefined ? undefined : timeOfId(next.id);
  return since !== undefined && nowMs - since >= LIFE_MS;
}

/** Changes the key that access tokens are signed with: when somebody asks, and every thirty days. */
export class KeyRotation {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RotationParts) {}

  /** The keys tokens are signed and verified with; refuses with `service_unavailable` before the vault leased them. */
  list(): SigningKey[] {
    const ring = this.parts.keys.current;
    if (ring === undefined) throw new Refusal('service_unavailable');
    return ring.keys.map(({ id, state, retiredAt }) => ({ id, state, retiredAt }));
  }

  /** Signs with the next key from now on; refuses with `conflict` when another replica rotated in between. */
  async rotate(by: Actor, retireNow: boolean): Promise<{ items: SigningKey[]; directory: SnapshotVersion }> {
    // Another replica may have rotated seconds ago; what this one holds is then not what is to be replaced.
    await this.parts.keys.load();
    const directory = await this.parts.keys.rotate(retireNow);
    await this.parts.server.reload();
    this.parts.log.info({ actorId: by.callerId, retireNow }, 'signing key rotated');
    return { items: this.list(), directory };
  }

  /** Looks every minute whether it is time, until `stop`. */
  start(): void {
    this.timer ??= setInterval(() => (this.running = this.look()), LOOK_EVERY_MS).unref();
  }

  /** Resolves when the look under way is over. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Rotates when it is time. Of replicas that look at once the vault lets one (`expectedActive`). */
  async look(): Promise<void> {
    const { keys, server, log, clock } = this.parts;
    if (!isDue(keys.current?.keys ?? [], clock.now())) return;
    try {
      await keys.rotate(false);
      await server.reload();
      log.info({}, 'signing key rotated after thirty days');
    } catch (error) {
      log.warn({ code: asRefusalOrFault(error).code }, 'signing key not rotated');
    }
  }
}
