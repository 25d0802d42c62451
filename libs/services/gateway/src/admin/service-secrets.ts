import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, sealTo } from '@gatehouse/kernel';

/** Seals what a service keeps in the vault where it enters, so that no other service ever sees it. */
@Injectable()
export class ServiceSecrets {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  /** A new secret under a new id, for the vault alone to open. */
  async seal(text: string): Promise<{ secretId: string; sealed: string }> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const secretId = newId('secret');
    const bytes = Buffer.from(text, 'utf8');
    const sealed = sealTo(publicKey, bytes, vaultContracts.serviceSecretContext(secretId));
    bytes.fill(0);
    return { secretId, sealed };
  }
}
