import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, sealTo, Secret } from '@gatehouse/kernel';
import { leasedSecret } from '../sign-in/leased-secret.js';
import { packed, unpacked, type SignInTokens } from './sign-in-tokens.js';

const PURPOSE = 'sign-in-tokens';

/** Where tokens of sign-ins are: in the vault, as secrets of auth's own. Refuses as the vault does, or like the bus while it is not there. */
export class TokenVault {
  private readonly pair = newSealingKeyPair();

  constructor(private readonly bus: Bus) {}

  /** Stores tokens under an id that nothing stands under yet. */
  async store(secretId: string, tokens: SignInTokens): Promise<void> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const secret = packed(tokens);
    try {
      const sealed = secret.use((bytes) => sealTo(publicKey, bytes, vaultContracts.serviceSecretContext(secretId)));
      await this.bus.request(vaultContracts.storeAuthSecret, { secretId, purpose: PURPOSE, sealed });
    } finally {
      secret.wipe();
    }
  }

  /** The tokens under an id, or undefined when there are none; the caller wipes them. */
  async read(secretId: string): Promise<SignInTokens | undefined> {
    const bytes = await leasedSecret(this.bus, this.pair, secretId);
    if (bytes === undefined) return undefined;
    const secret = Secret.of(bytes);
    try {
      return unpacked(secret);
    } finally {
      secret.wipe();
    }
  }

  /** Destroys them; twice is fine. */
  async destroy(secretIds: readonly string[]): Promise<void> {
    for (const secretId of secretIds) await this.bus.request(vaultContracts.destroyAuthSecret, { secretId });
  }
}
