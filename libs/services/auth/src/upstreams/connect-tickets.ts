import { createHmac, hkdfSync } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed } from '@gatehouse/kernel';

/**
 * The ticket of a connect link, made of the link's id by a key that only auth has: the same link can be
 * given again, and whoever reads the database cannot make one.
 */
export class ConnectTickets {
  private readonly pair = newSealingKeyPair();
  private key: Promise<Buffer> | undefined;

  constructor(private readonly bus: Bus) {}

  /** The ticket of a link. Refuses like the bus while there is no vault. */
  async of(id: string): Promise<string> {
    this.key ??= this.lease();
    try {
      return createHmac('sha256', await this.key).update(id).digest('base64url');
    } catch (error) {
      this.key = undefined;
      throw error;
    }
  }

  private async lease(): Promise<Buffer> {
    const { keys } = await this.bus.request(vaultContracts.leaseAuthSecretKey, { instanceKey: this.pair.publicKey });
    const [{ id, sealed }] = keys as [(typeof keys)[number]];
    const secret = openSealed(this.pair, sealed, vaultContracts.keyContext('auth-secret', id));
    return Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse connect tickets', 32));
  }
}
