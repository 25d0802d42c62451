import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { openSealed, Refusal, type SealingKeyPair } from '@gatehouse/kernel';

/**
 * The bytes of one of auth's own secrets, or undefined when nothing stands under that id; the caller
 * wipes them. Refuses as the vault does, or like the bus while it is not there.
 */
export async function leasedSecret(bus: Bus, pair: SealingKeyPair, secretId: string): Promise<Buffer | undefined> {
  try {
    const { sealed, version } = await bus.request(vaultContracts.leaseAuthSecret, { secretId, instanceKey: pair.publicKey });
    return openSealed(pair, sealed, vaultContracts.serviceSecretLeaseContext(secretId, version));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'credential_missing') return undefined;
    throw error;
  }
}
