import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed, Secret, systemClock, type Clock } from '@gatehouse/kernel';

interface Held {
  secret: Secret;
  untilMs: number;
}

const HELD_MS = 60_000;
const PURPOSE = 'identity-provider-client';

/** Client secrets of identity providers: they live in the vault and are here for a minute at a time. */
export class ClientSecrets {
  private readonly pair = newSealingKeyPair();
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The secret under this id. Refuses with `credential_missing`, or like the bus while the vault is not there. */
  async lease(secretId: string): Promise<Secret> {
    const held = this.held.get(secretId);
    if (held !== undefined && held.untilMs > this.clock.monotonicMs()) return held.secret;
    this.forget(secretId);
    const { sealed, version } = await this.bus.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: this.pair.publicKey });
    const secret = Secret.of(openSealed(this.pair, sealed, vaultContracts.serviceSecretLeaseContext(secretId, version)));
    this.held.set(secretId, { secret, untilMs: this.clock.monotonicMs() + HELD_MS });
    return secret;
  }

  /** Hands a sealed secret on to the vault. */
  async store(secretId: string, sealed: string): Promise<void> {
    await this.bus.request(vaultContracts.storeAuthSecret, { secretId, purpose: PURPOSE, sealed });
  }

  /** Destroys a secret for good. */
  async destroy(secretId: string): Promise<void> {
    this.forget(secretId);
    await this.bus.request(vaultContracts.destroyAuthSecret, { secretId });
  }

  // Not wiped: a request that was lent it a moment ago may still be using it.
  private forget(secretId: string): void {
    this.held.delete(secretId);
  }
}
