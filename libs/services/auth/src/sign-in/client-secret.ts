import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed, Secret } from '@gatehouse/kernel';

const HELD_MS = 60_000;
const PURPOSE = 'identity-provider-client';

/** Client secrets, of identity providers unless told: they live in the vault and are here for a minute at a time. */
export class ClientSecrets {
  private readonly pair = newSealingKeyPair();
  private readonly held = new Map<string, { secret: Secret; timer: NodeJS.Timeout }>();

  constructor(
    private readonly bus: Bus,
    private readonly purpose = PURPOSE,
  ) {}

  /**
   * The secret under this id, to be used at once: it is wiped when its minute is over. Refuses with
   * `credential_missing`, or like the bus while the vault is not there.
   */
  async lease(secretId: string): Promise<Secret> {
    const held = this.held.get(secretId);
    if (held !== undefined) return held.secret;
    const { sealed, version } = await this.bus.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: this.pair.publicKey });
    const secret = Secret.of(openSealed(this.pair, sealed, vaultContracts.serviceSecretLeaseContext(secretId, version)));
    this.forget(secretId);
    this.held.set(secretId, { secret, timer: setTimeout(() => this.forget(secretId), HELD_MS).unref() });
    return secret;
  }

  /** Hands a sealed secret on to the vault. */
  async store(secretId: string, sealed: string): Promise<void> {
    await this.bus.request(vaultContracts.storeAuthSecret, { secretId, purpose: this.purpose, sealed });
  }

  /** Destroys a secret for good. */
  async destroy(secretId: string): Promise<void> {
    this.forget(secretId);
    await this.bus.request(vaultContracts.destroyAuthSecret, { secretId });
  }

  private forget(secretId: string): void {
    const held = this.held.get(secretId);
    if (held === undefined) return;
    clearTimeout(held.timer);
    held.secret.wipe();
    this.held.delete(secretId);
  }
}
